#include "crds/plugin.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::Plugin);
