#include "crds/plugin_install.h"

#include "crds/codec.h"

INSTANTIATE_KIND(atelier::crds::PluginInstall);
