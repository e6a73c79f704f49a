#include "templates/compiled.h"

#include "base/field_codec.h"

INSTANTIATE_FIELDS(atelier::templates::CompiledOrg);
INSTANTIATE_FIELDS(atelier::templates::Node);
