#include "crds/workspace.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::Workspace);
