#include "reconcilers/common/runtimes.h"

#include "base/clock.h"

namespace atelier::reconcilers {

std::string backend_of(const crds::WorkspaceSpec& spec, const Runtimes& runtimes) {
    return spec.backend.empty() ? runtimes.default_backend : spec.backend;
}

drivers::Runtime* runtime_of(const Runtimes& runtimes, const std::string& backend) {
    const auto it = runtimes.by_backend.find(backend);
    return it == runtimes.by_backend.end() ? nullptr : it->second;
}

std::string unit_name(const std::string& uid) {
    return "ws-" + uid.substr(0, 12);
}
std::string configs_volume(const std::string& uid) {
    return unit_name(uid) + "-configs";
}
std::string files_volume(const std::string& uid) {
    return unit_name(uid) + "-workspace";
}

drivers::Labels labels_of_server(const std::string& instance) {
    return {{std::string(unit_label::managed), "true"},
            {std::string(unit_label::instance), instance}};
}

drivers::Labels labels_of_server(const Runtimes& runtimes) {
    return labels_of_server(runtimes.instance);
}

drivers::Labels labels_to_find(const Runtimes& runtimes, const std::string& uid) {
    drivers::Labels labels = labels_of_server(runtimes);
    labels[std::string(unit_label::uid)] = uid;
    return labels;
}

drivers::Labels labels_of_name(const Runtimes& runtimes, const std::string& ns,
                               const std::string& name) {
    drivers::Labels labels = labels_of_server(runtimes);
    labels[std::string(unit_label::ns)] = ns;
    labels[std::string(unit_label::name)] = name;
    return labels;
}

drivers::Labels labels_of_workspace(const Runtimes& runtimes, const crds::Meta& meta) {
    drivers::Labels labels = labels_to_find(runtimes, meta.uid);
    labels[std::string(unit_label::ns)] = meta.ns;
    labels[std::string(unit_label::name)] = meta.name;
    return labels;
}

std::string new_stamp(Instant now, Random& random) {
    return compact_stamp(now) + "-" + random_text(random, 6, name_suffix_alphabet);
}

}  // namespace atelier::reconcilers
