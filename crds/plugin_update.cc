#include "crds/plugin_update.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::PluginUpdate);
