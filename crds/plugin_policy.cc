#include "crds/plugin_policy.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::PluginPolicy);
