#include "apiserver/resources/objects.h"

namespace atelier::apiserver {

Objects::Objects(const store::Store& store, const Catalog& catalog)
    : store_(store), catalog_(catalog) {}

store::SnapshotPtr Objects::definitions() const {
    auto snapshot = std::make_shared<store::Snapshot>();
    snapshot->revision = std::max<Revision>(store_.revision(), 1);
    snapshot->objects = catalog_.definitions();
    return snapshot;
}

store::ObjectPtr Objects::get(const Key& key) const {
    const auto& definitions = catalog_.definitions();
    if (!definitions.empty() && definitions.front()->key.resource == key.resource) {
        for (const store::ObjectPtr& definition : definitions) {
            if (definition->key == key) return definition;
        }
        return nullptr;
    }
    return store_.get(key);
}

store::SnapshotPtr Objects::list(const crds::Kind& kind) const {
    return catalog_.is_definition(kind) ? definitions() : store_.list(kind.resource());
}

Result<store::SnapshotPtr> Objects::list_at(const crds::Kind& kind, Revision revision) const {
    if (catalog_.is_definition(kind)) return definitions();
    return store_.list_at(kind.resource(), revision);
}

Result<std::vector<store::EventPtr>> Objects::events(const crds::Kind& kind, Revision after,
                                                     std::size_t most) const {
    if (catalog_.is_definition(kind)) return std::vector<store::EventPtr>();
    return store_.events(kind.resource(), after, most);
}

std::string Objects::find(const Key& key) const {
    const store::ObjectPtr object = get(key);
    return object ? object->body : std::string();
}

std::vector<std::string> Objects::names(std::string_view resource, std::string_view ns) const {
    std::vector<std::string> out;
    const store::SnapshotPtr snapshot = store_.list(resource);
    for (const store::ObjectPtr& object : snapshot->objects) {
        if (object->key.ns == ns) out.push_back(object->key.name);
    }
    return out;
}

}  // namespace atelier::apiserver
