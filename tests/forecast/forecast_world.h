// OrgWorld with a runtime, in which plans are made.
#pragma once

#include <string>
#include <vector>

#include "forecast/make_forecast.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {

class ForecastWorld : public OrgWorld {
  public:
    ForecastWorld() : runtime(clock) {
        json::Document space(rapidjson::kObjectType);
        auto& allocator = space.GetAllocator();
        json::set(space, "apiVersion", "v1", allocator);
        json::set(space, "kind", "Namespace", allocator);
        json::set(json::object_at(space, "metadata", allocator), "name", "default", allocator);
        std::vector<json::Document> all;
        all.push_back(std::move(space));
        auto made = forecast::proposed_objects_of(all, "", kinds);
        CHECK(made);
        CHECK(forecast::put(store, made->front(), 0, random, clock.now()));
    }

    forecast::Dependencies dependencies() {
        return {.store = store,
                .kinds = kinds,
                .random = random,
                .git = git,
                .trees = trees,
                .templates_root = {},
                .external = {},
                .runtimes = reconcilers::Runtimes{.by_backend = {{"docker", &runtime}},
                                                  .default_backend = "docker",
                                                  .folders = folders,
                                                  .trees = trees,
                                                  .random = random,
                                                  .metrics = metrics,
                                                  .instance = "i1",
                                                  .network = "net",
                                                  .images = {{"langgraph", "agent:1"}}},
                .fingerprint_key = key_of_plans,
                .log = Log()};
    }

    Result<forecast::ForecastResult> ask(const std::vector<std::string>& texts,
                                         const std::string& org = "") {
        forecast::Request request{"default", {}, org};
        for (const std::string& text : texts) {
            auto parsed = json::parse(text);
            CHECK(parsed);
            request.objects.push_back(*std::move(parsed));
        }
        return forecast::make_forecast(dependencies(), request, clock.now(), {});
    }
    // The lines of a plan; "ERROR: …" when there is none.
    std::vector<std::string> plan(const std::vector<std::string>& texts,
                                  const std::string& org = "") {
        const auto result = ask(texts, org);
        if (!result) return {"ERROR: " + result.error().message};
        return forecast::lines_of(result->forecast);
    }
    // As `atelier apply` would.
    void apply(const std::vector<std::string>& texts) {
        std::vector<json::Document> parsed;
        for (const std::string& text : texts) {
            auto one = json::parse(text);
            CHECK(one);
            parsed.push_back(*std::move(one));
        }
        const auto proposed = forecast::proposed_objects_of(parsed, "default", kinds);
        CHECK(proposed);
        for (const forecast::ProposedObject& object : *proposed) {
            const auto old = store.get(object.key);
            const auto done =
                forecast::put(store, object, old ? old->revision : 0, random, clock.now());
            if (!done) ADD_FAILURE() << done.error().message;
        }
    }

    fakes::FakeRuntime runtime;
    fakes::FakePluginFolders folders;
};

// Manifests as one applies them.
inline std::string manifest(const std::string& kind, const std::string& name,
                            const std::string& rest) {
    const bool core = kind == "Secret" || kind == "ConfigMap";
    return R"({"apiVersion":")" + std::string(core ? "v1" : "atelier.dev/v1alpha1") +
           R"(","kind":")" + kind + R"(","metadata":{"name":")" + name + R"("},)" + rest + "}";
}

}  // namespace atelier::reconcilers
