#include "tests/bench/objects.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "base/json.h"
#include "base/result.h"

namespace atelier::bench {

crds::Body workspace_body(const std::string& name, const std::string& ns) {
    json::Document object(rapidjson::kObjectType);
    auto& allocator = object.GetAllocator();
    json::set(object, "apiVersion", "atelier.dev/v1alpha1", allocator);
    json::set(object, "kind", "Workspace", allocator);
    crds::Meta meta;
    meta.name = name;
    meta.ns = ns;
    meta.uid = "11111111-1111-4111-8111-111111111111";
    meta.generation = 1;
    meta.labels = {{"atelier.dev/org", "acme"}, {"atelier.dev/tier", "production"}};
    json::set(object, "metadata", crds::write_meta(meta, allocator), allocator);
    json::Value spec(rapidjson::kObjectType);
    json::set(spec, "role", std::string(300, 'r'), allocator);
    json::set(object, "spec", std::move(spec), allocator);
    return crds::encode_body(object);
}

Key workspace_key(const std::string& name, const std::string& ns) {
    return {"workspaces.atelier.dev", ns, name};
}

std::string workspace_json(const std::string& name) {
    return fmt::format(R"({{"apiVersion":"atelier.dev/v1alpha1","kind":"Workspace","metadata":)"
                       R"({{"name":"{}","labels":{{"a":"b"}}}},"spec":{{"runtime":"hermes",)"
                       R"("initialPrompt":"{}"}}}})",
                       name, std::string(300, 'p'));
}

void fill(store::Store& store, int objects, const std::string& ns) {
    constexpr int most_at_once = 500;
    std::mutex mutex;
    std::condition_variable changed;
    int in_flight = 0;
    for (int i = 0; i < objects; ++i) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return in_flight < most_at_once; });
        ++in_flight;
        lock.unlock();
        const std::string name = fmt::format("w-{}", i);
        store.write(
            {store::Write::Kind::create, workspace_key(name, ns), workspace_body(name, ns), 0},
            [&](const Result<store::ObjectPtr>& made) {
                CHECK(made);
                const std::lock_guard done(mutex);
                --in_flight;
                changed.notify_one();
            });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return in_flight == 0; });
}

}  // namespace atelier::bench
