#include "crds/org_template.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::OrgTemplate);
INSTANTIATE_FIELDS(atelier::crds::TemplateRevision);
