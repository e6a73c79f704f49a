#include "crds/deleted_workspace.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::DeletedWorkspace);
