#include "cli/objects/server_fields.h"

#include <initializer_list>
#include <string_view>

namespace atelier::cli {
namespace {

void remove_of_metadata(json::Document& object, std::initializer_list<std::string_view> names) {
    json::Value* const metadata = json::find(object, {"metadata"});
    if (!metadata || !metadata->IsObject()) return;
    for (const std::string_view name : names) json::remove(*metadata, name);
}

}  // namespace

void remove_written_fields(json::Document& object) {
    json::remove(object, "status");
    remove_of_metadata(object, {"resourceVersion", "generation", "managedFields"});
}

void remove_server_fields(json::Document& object) {
    remove_written_fields(object);
    remove_of_metadata(object, {"uid", "creationTimestamp", "deletionTimestamp",
                                "deletionGracePeriodSeconds", "selfLink"});
}

}  // namespace atelier::cli
