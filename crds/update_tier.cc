#include "crds/update_tier.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::UpdateTier);
