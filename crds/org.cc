#include "crds/org.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::Org);
INSTANTIATE_FIELDS(atelier::crds::AppliedRevision);
