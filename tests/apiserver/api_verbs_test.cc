// What each verb does, as clients of Kubernetes expect it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "apiserver/request/router.h"
#include "apiserver/resources/catalog.h"
#include "base/text.h"
#include "tests/apiserver/api_world.h"

namespace atelier::apiserver::test {
namespace {

using Verbs = ApiWorld;

TEST_F(Verbs, NobodyIsLetInWithoutTheToken) {
    for (const char* header :
         {"", "Bearer wrong", "Bearer ", "Bearer righ", "Bearer rightt", "Basic right", "right"}) {
        Request request = request_of("GET", workspaces);
        if (*header) request.headers.emplace_back("authorization", header);
        auto answer = std::make_shared<Answer>();
        api->handle(std::move(request), answer);
        EXPECT_EQ(answer->status, 401) << header;
        EXPECT_EQ(answer->at({"reason"}), "Unauthorized");
    }
    Request request = request_of("GET", workspaces);
    request.headers.emplace_back("impersonate-user", "root");
    EXPECT_EQ(send(std::move(request))->status, 403);
    auto open = std::make_shared<Answer>();
    api->handle(request_of("GET", "/readyz"), open);
    EXPECT_EQ(open->status, 200);
    EXPECT_EQ(open->body, "ok");
}

TEST_F(Verbs, HealthNamesWhatFails) {
    EXPECT_EQ(get("/readyz?verbose")->body,
              "[+]ping ok\n[+]store ok\n[+]extra ok\nreadyz check passed\n");
    extra_health = Error{Code::unavailable, "it is ill"};
    EXPECT_EQ(get("/readyz")->status, 503);
    EXPECT_NE(get("/readyz")->body.find("[-]extra failed: it is ill"), std::string::npos);
    EXPECT_EQ(get("/readyz?exclude=extra")->status, 200);
    EXPECT_EQ(get("/livez")->status, 200);
    EXPECT_EQ(get("/readyz/store")->status, 200);
    EXPECT_EQ(get("/readyz/none")->status, 404);
    EXPECT_EQ(send("POST", "/livez", "")->status, 405);
}

TEST_F(Verbs, UnknownPathsAndMethodsGetAStatus) {
    for (const char* path : {"/none", "/apis/none", "/api/v2", "/apis/atelier.dev/v1/workspaces",
                             "/api/v1/namespaces/default/none", "/apis/atelier.dev/v1alpha1/none",
                             "/api/v1/namespaces/default/secrets/s/token",
                             "/apis/atelier.dev/v1alpha1/workspaces/w1"}) {
        EXPECT_EQ(get(path)->status, 404) << path;
        EXPECT_EQ(get(path)->at({"kind"}), "Status") << path;
    }
    EXPECT_EQ(send("PUT", workspaces, "{}")->status, 405);
    EXPECT_EQ(post("/apis/atelier.dev/v1alpha1/workspaces", "{}")->status, 405);
    EXPECT_EQ(get(workspaces, "application/yaml")->status, 406);
    EXPECT_EQ(post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "{}")->status, 405);
}

// What discovery lists is served, by the verbs that it says; and of the paths that there could be
// below an object, those that are served are listed.
TEST_F(Verbs, DiscoveryListsExactlyWhatIsServed) {
    const Catalog catalog(test::shared_kinds(), clock.now());
    const std::map<std::string, std::pair<std::string, bool>> requests = {
        {"get", {"GET", true}},       {"list", {"GET", false}},
        {"watch", {"GET", false}},    {"create", {"POST", false}},
        {"update", {"PUT", true}},    {"patch", {"PATCH", true}},
        {"delete", {"DELETE", true}}, {"deletecollection", {"DELETE", false}}};
    int subresources = 0;
    for (const GroupVersion& gv : catalog.group_versions()) {
        const std::string root = gv.group.empty() ? "/api/" + gv.text() : "/apis/" + gv.text();
        const auto list = get(root)->json();
        std::set<std::string> listed;
        for (const auto& resource : (*json::find(list, {"resources"})).GetArray()) {
            const std::string name = json::string_at(resource, {"name"});
            SCOPED_TRACE(root + " " + name);
            listed.insert(name);
            const auto parts = split(name, '/');
            const bool below = parts.size() == 2;
            subresources += below ? 1 : 0;
            const bool namespaced = json::find(resource, {"namespaced"})->GetBool();
            const std::string in = root + (namespaced ? "/namespaces/default/" : "/") + parts[0];
            for (const auto& verb : json::find(resource, {"verbs"})->GetArray()) {
                const auto& [method, of_object] = requests.at(verb.GetString());
                std::string target = in;
                if (of_object || below) target += "/x";
                if (below) target += "/" + parts[1];
                if (verb == "watch") target += "?watch=true";
                Request request = test::request_of(method, target);
                const Route to = route(catalog, request);
                EXPECT_NE(to.endpoint, Endpoint::unknown) << target;
                EXPECT_EQ(name_of(to.verb), verb.GetString()) << method << " " << target;
            }
        }
        for (const crds::Kind* kind : catalog.kinds()) {
            if (kind->group != gv.group || kind->version != gv.version) continue;
            EXPECT_TRUE(listed.contains(kind->plural));
            const bool namespaced = kind->scope == crds::Scope::namespaced;
            for (const char* name : {"status", "scale", "finalize", "diff", "plan", "apply", "log",
                                     "exec", "token", "events", "history", "revert", "undelete"}) {
                const std::string target = root + (namespaced ? "/namespaces/default/" : "/") +
                                           kind->plural + "/x/" + name;
                const Route to = route(catalog, test::request_of("GET", target));
                // A Namespace's own look like collections in it, which some of these may be.
                const bool served = to.endpoint != Endpoint::unknown && to.subresource == name;
                EXPECT_EQ(served, listed.contains(kind->plural + "/" + name)) << target;
            }
        }
    }
    EXPECT_GT(subresources, 10);
    const std::string ours = get("/apis/atelier.dev/v1alpha1")->body;
    EXPECT_NE(ours.find(R"({"name":"orgs/diff","singularName":"","namespaced":true,"kind":"Org",)"
                        R"("verbs":["get"]})"),
              std::string::npos)
        << ours;
}

TEST_F(Verbs, DiscoveryIsAggregatedOrPlainAndKnowsItsTag) {
    const std::string v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (const char* path : {"/api", "/apis"}) {
        const auto aggregated = get(path, v2 + ",application/json");
        EXPECT_EQ(aggregated->header("content-type"), v2);
        EXPECT_EQ(aggregated->at({"kind"}), "APIGroupDiscoveryList");
        EXPECT_EQ(aggregated->header("vary"), "Accept");
        Request again = request_of("GET", path);
        again.headers.emplace_back("accept", v2);
        again.headers.emplace_back("if-none-match", aggregated->header("etag"));
        const auto same = send(std::move(again));
        EXPECT_EQ(same->status, 304);
        EXPECT_EQ(same->body, "");
    }
    EXPECT_EQ(get("/api")->at({"kind"}), "APIVersions");
    const auto groups = get("/apis")->json();
    EXPECT_EQ(json::string_at((*json::find(groups, {"groups"}))[0], {"name"}), "atelier.dev");
    EXPECT_EQ(get("/apis/atelier.dev")->at({"preferredVersion", "version"}), "v1alpha1");
    const std::string list = get("/apis/atelier.dev/v1alpha1")->body;
    EXPECT_NE(list.find("\"workspaces/status\""), std::string::npos);
    EXPECT_NE(list.find("\"shortNames\":[\"ws\"]"), std::string::npos);
    EXPECT_EQ(get("/version")->at({"minor"}), "32");
}

TEST_F(Verbs, OpenApiSaysWhatClientsLookFor) {
    const auto root = get("/openapi/v3")->json();
    const std::string url =
        json::string_at(root, {"paths", "apis/atelier.dev/v1alpha1", "serverRelativeURL"});
    ASSERT_TRUE(url.starts_with("/openapi/v3/apis/atelier.dev/v1alpha1?hash="));
    const auto document = get(url);
    EXPECT_EQ(document->header("cache-control"), "public, immutable");
    const auto parsed = document->json();
    const std::string path = "/apis/atelier.dev/v1alpha1/namespaces/{namespace}/workspaces/{name}";
    const json::Value* patch = json::find(parsed, {"paths", path, "patch"});
    ASSERT_TRUE(patch);
    EXPECT_TRUE(json::find(*patch, {"x-kubernetes-group-version-kind"})->IsObject());
    EXPECT_NE(json::text(*patch).find("fieldValidation"), std::string::npos);
    const json::Value* schema =
        json::find(parsed, {"components", "schemas", "dev.atelier.v1alpha1.Workspace"});
    ASSERT_TRUE(schema);
    EXPECT_TRUE(json::find(*schema, {"x-kubernetes-group-version-kind"})->IsArray());
    EXPECT_EQ(get("/openapi/v3/apis/atelier.dev/v1alpha1?hash=OLD")->header("location"), url);
    EXPECT_EQ(get("/openapi/v3/apis/atelier.dev/v1alpha1?hash=OLD")->status, 301);

    const auto v2 =
        get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
    EXPECT_EQ(v2->status, 200);
    EXPECT_NE(v2->body.find("dev.atelier.v1alpha1.Workspace"), std::string::npos);
    const auto as_json = get("/openapi/v2", "application/json");
    EXPECT_EQ(as_json->at({"swagger"}), "2.0");
    const auto swagger = as_json->json();
    EXPECT_TRUE(json::find(swagger, {"definitions", "dev.atelier.v1alpha1.Workspace"}));
    EXPECT_EQ(as_json->body.find("#/components"), std::string::npos);
    const auto paths = get("/")->json();
    EXPECT_EQ(json::view((*json::find(paths, {"paths"}))[0]), "/api");
}

TEST_F(Verbs, CreateFillsWhatIsAbsentAndAnswersTheWhole) {
    const auto made = make_workspace("w1", R"(,"creationTimestamp":null)");
    EXPECT_EQ(made->at({"kind"}), "Workspace");
    EXPECT_EQ(made->at({"metadata", "namespace"}), "default");
    EXPECT_EQ(made->at({"metadata", "generation"}), "1");
    EXPECT_EQ(made->at({"metadata", "creationTimestamp"}), "2026-01-01T00:00:00Z");
    EXPECT_EQ(get(at(workspaces, "w1"))->body, made->body);
    const auto again =
        post(workspaces, R"({"metadata":{"name":"w1"},"spec":{"runtime":"hermes"}})");
    EXPECT_EQ(again->status, 409);
    EXPECT_EQ(again->at({"reason"}), "AlreadyExists");
    EXPECT_EQ(again->at({"details", "kind"}), "workspaces");
}

TEST_F(Verbs, CreateDropsStatusAndRefusesARevision) {
    const auto made = post(workspaces, R"({"metadata":{"name":"w1"},"spec":{"runtime":"hermes"},)"
                                       R"("status":{"container":"x"}})");
    EXPECT_EQ(made->at({"status"}), "<absent>");
    EXPECT_EQ(
        post(workspaces, R"({"metadata":{"name":"w2","resourceVersion":"5"},"spec":{}})")->status,
        400);
}

TEST_F(Verbs, GeneratedNamesAreTriedAgain) {
    const std::string body = R"({"metadata":{"generateName":"w-"},"spec":{"runtime":"hermes"}})";
    const std::string first = post(workspaces, body)->at({"metadata", "name"});
    const std::string second = post(workspaces, body)->at({"metadata", "name"});
    EXPECT_EQ(first.size(), 7u);
    EXPECT_NE(first, second);
}

TEST_F(Verbs, CreateNeedsItsNamespace) {
    const std::string body = R"({"metadata":{"name":"w1"},"spec":{"runtime":"hermes"}})";
    const auto missing = post("/apis/atelier.dev/v1alpha1/namespaces/none/workspaces", body);
    EXPECT_EQ(missing->status, 404);
    EXPECT_EQ(missing->at({"details", "kind"}), "namespaces");
    EXPECT_EQ(post(workspaces, R"({"metadata":{"name":"w1","namespace":"other"}})")->status, 400);
    ASSERT_EQ(post("/api/v1/namespaces", R"({"metadata":{"name":"n1"}})")->status, 201);
    const auto ending = send("DELETE", "/api/v1/namespaces/n1", "");
    EXPECT_EQ(ending->at({"status", "phase"}), "Terminating");
    const auto refused = post("/apis/atelier.dev/v1alpha1/namespaces/n1/workspaces", body);
    EXPECT_EQ(refused->status, 403);
    EXPECT_NE(refused->body.find("NamespaceTerminating"), std::string::npos);
    EXPECT_EQ(send("DELETE", "/api/v1/namespaces/default", "")->status, 403);
    // The last act of whoever empties a namespace.
    const auto done = send("PUT", "/api/v1/namespaces/n1/finalize",
                           R"({"metadata":{"name":"n1"},"spec":{"finalizers":[]}})");
    EXPECT_EQ(done->status, 200) << done->body;
    EXPECT_EQ(get("/api/v1/namespaces/n1")->status, 404);
}

TEST_F(Verbs, BadBodiesAreRefusedWithAReason) {
    for (const char* body : {"", "{", "[]", "\"x\"", R"({"metadata":[]})", R"({"kind":"Plugin"})",
                             R"({"apiVersion":"v1"})", "{\"metadata\":{\"name\":\"\xff\"}}"}) {
        EXPECT_EQ(post(workspaces, body)->status, 400) << body;
    }
    EXPECT_EQ(post(workspaces, "x", "text/plain")->status, 415);
    EXPECT_EQ(post(workspaces, "k8s", "application/vnd.kubernetes.protobuf")->status, 415);
    EXPECT_EQ(
        post("/api/v1/namespaces/default/secrets", "k8s", "application/vnd.kubernetes.protobuf")
            ->status,
        400);
    EXPECT_EQ(
        post(workspaces, "metadata: {name: y1}\nspec: {runtime: hermes}\n", "application/yaml")
            ->status,
        201);
    const auto huge =
        post(workspaces, R"({"metadata":{"name":"w"},"spec":{"runtime":"hermes","role":")" +
                             std::string(2u << 20, 'x') + "\"}}");
    EXPECT_TRUE(huge->status == 413 || huge->status == 422) << huge->status;
}

TEST_F(Verbs, InvalidObjectsNameTheirKindAndCauses) {
    const auto invalid =
        post(workspaces, R"({"metadata":{"name":"w1"},"spec":{"runtime":"hermes","tier":"x"}})");
    EXPECT_EQ(invalid->status, 422);
    EXPECT_EQ(invalid->at({"details", "kind"}), "Workspace");
    const auto document = invalid->json();
    const json::Value& cause = (*json::find(document, {"details", "causes"}))[0];
    EXPECT_EQ(json::string_at(cause, {"field"}), "spec.tier");
    EXPECT_EQ(json::string_at(cause, {"reason"}), "FieldValueTypeInvalid");
    EXPECT_EQ(
        post(workspaces, R"({"metadata":{"name":"UPPER"},"spec":{"runtime":"hermes"}})")->status,
        422);
    // What is quoted is cut to a length, and the answer is JSON all the same.
    std::string source = "x";
    for (int i = 0; i < 100; ++i) source += "ä";
    const auto cut = post("/apis/atelier.dev/v1alpha1/namespaces/default/plugins",
                          R"({"metadata":{"name":"p"},"spec":{"source":")" + source + "\"}}");
    EXPECT_EQ(cut->status, 422);
    EXPECT_EQ(cut->at({"reason"}), "Invalid");
}

TEST_F(Verbs, FieldValidationIsStrictWarnsOrIgnores) {
    const auto body = [](const char* name) {
        return fmt::format(R"({{"metadata":{{"name":"{}"}},"spec":{{"runtime":"hermes","bogus":1,)"
                           R"("runtime":"hermes"}}}})",
                           name);
    };
    const std::string base(workspaces);
    const auto strict = post(base + "?fieldValidation=Strict", body("s"));
    EXPECT_EQ(strict->status, 400);
    EXPECT_EQ(strict->at({"message"}),
              "Workspace in version \"v1alpha1\" cannot be handled as a Workspace: strict decoding "
              "error: unknown field \"spec.bogus\", duplicate field \"spec.runtime\"");
    const auto warned = post(base, body("w"));
    EXPECT_EQ(warned->status, 201);
    EXPECT_EQ(warned->header("warning"),
              "299 - \"unknown field \\\"spec.bogus\\\"\", 299 - \"duplicate field "
              "\\\"spec.runtime\\\"\"");
    EXPECT_EQ(warned->at({"spec", "bogus"}), "<absent>");
    const auto ignored = post(base + "?fieldValidation=Ignore", body("i"));
    EXPECT_EQ(ignored->status, 201);
    EXPECT_EQ(ignored->header("warning"), "");
    EXPECT_EQ(post(base + "?fieldValidation=Perhaps", body("p"))->status, 422);
}

TEST_F(Verbs, DryRunsChangeNothing) {
    const std::string body = R"({"metadata":{"name":"w1"},"spec":{"runtime":"hermes"}})";
    const auto before = store->revision();
    EXPECT_EQ(post(std::string(workspaces) + "?dryRun=All", body)->status, 201);
    EXPECT_EQ(store->revision(), before);
    EXPECT_EQ(post(std::string(workspaces) + "?dryRun=Some", body)->status, 422);
    const auto made = make_workspace("w1");
    EXPECT_EQ(post(std::string(workspaces) + "?dryRun=All", body)->status, 409);
    const auto patched =
        merge(at(workspaces, "w1?dryRun=All"), R"({"spec":{"runtime":"openclaw"}})");
    EXPECT_EQ(patched->status, 200) << patched->body;
    EXPECT_EQ(patched->at({"metadata", "generation"}), "2");
    EXPECT_EQ(patched->at({"metadata", "resourceVersion"}),
              made->at({"metadata", "resourceVersion"}));
    EXPECT_EQ(send("DELETE", at(workspaces, "w1"), R"({"dryRun":["All"]})")->status, 200);
    EXPECT_EQ(get(at(workspaces, "w1"))->body, made->body);
}

TEST_F(Verbs, PutNeedsTheRevisionOfACustomObjectOnly) {
    const auto made = make_workspace("w1");
    const std::string revision = made->at({"metadata", "resourceVersion"});
    const auto put = [&](const std::string& meta) {
        return send("PUT", at(workspaces, "w1"),
                    R"({"metadata":{"name":"w1")" + meta + R"(},"spec":{"runtime":"openclaw"}})");
    };
    const auto without = put("");
    EXPECT_EQ(without->status, 422);
    EXPECT_NE(without->body.find("0x0: must be specified for an update"), std::string::npos);
    const auto good = put(",\"resourceVersion\":\"" + revision + "\"");
    EXPECT_EQ(good->status, 200) << good->body;
    EXPECT_EQ(good->at({"metadata", "generation"}), "2");
    EXPECT_EQ(good->at({"metadata", "uid"}), made->at({"metadata", "uid"}));
    const auto stale = put(",\"resourceVersion\":\"" + revision + "\"");
    EXPECT_EQ(stale->status, 409);
    EXPECT_NE(stale->body.find("the object has been modified"), std::string::npos);
    EXPECT_EQ(send("PUT", at(workspaces, "w1"), R"({"metadata":{"name":"w2"}})")->status, 400);
    EXPECT_EQ(send("PUT", at(workspaces, "none"),
                   R"({"metadata":{"resourceVersion":"1"},"spec":{"runtime":"hermes"}})")
                  ->status,
              404);

    const std::string_view maps = "/api/v1/namespaces/default/configmaps";
    ASSERT_EQ(post(maps, R"({"metadata":{"name":"m"},"data":{"a":"1"}})")->status, 201);
    const auto replaced =
        send("PUT", at(maps, "m"), R"({"metadata":{"name":"m"},"data":{"b":"2"}})");
    EXPECT_EQ(replaced->status, 200) << replaced->body;
    EXPECT_EQ(replaced->at({"data", "b"}), "2");
}

TEST_F(Verbs, ALeaseIsCreatedByPut) {
    const std::string_view lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l1";
    const std::string body = R"({"metadata":{"name":"l1"},"spec":{"holderIdentity":"a",)"
                             R"("renewTime":"2026-01-01T00:00:00.000000Z"}})";
    EXPECT_EQ(send("PUT", lease, body)->status, 201);
    EXPECT_EQ(get(lease)->at({"spec", "holderIdentity"}), "a");
}

TEST_F(Verbs, PatchesOfEveryKind) {
    make_workspace("w1");
    const auto merged = merge(at(workspaces, "w1"), R"({"metadata":{"labels":{"a":"b"}}})");
    EXPECT_EQ(merged->at({"metadata", "labels", "a"}), "b");
    EXPECT_EQ(merged->at({"metadata", "generation"}), "1");
    const auto json = send("PATCH", at(workspaces, "w1"),
                           R"([{"op":"replace","path":"/spec/runtime","value":"openclaw"}])",
                           "application/json-patch+json");
    EXPECT_EQ(json->at({"spec", "runtime"}), "openclaw") << json->body;
    EXPECT_EQ(json->at({"metadata", "generation"}), "2");
    EXPECT_EQ(send("PATCH", at(workspaces, "w1"), R"([{"op":"test","path":"/kind","value":"x"}])",
                   "application/json-patch+json")
                  ->status,
              422);
    for (const char* type : {"application/strategic-merge-patch+json",
                             "application/apply-patch+yaml", "application/json", ""}) {
        EXPECT_EQ(send("PATCH", at(workspaces, "w1"), "{}", type)->status, 415) << type;
    }
    EXPECT_EQ(merge(at(workspaces, "w1"), "[]")->status, 400);
    EXPECT_EQ(merge(at(workspaces, "w1"), R"({"metadata":{"name":"other"}})")->status, 400);
    EXPECT_EQ(merge(at(workspaces, "w1"), R"({"metadata":null})")->status, 400);
    EXPECT_EQ(merge(at(workspaces, "w1"), R"({"metadata":{"resourceVersion":"1"}})")->status, 409);
    EXPECT_EQ(merge(at(workspaces, "none"), "{}")->status, 404);

    const std::string_view secrets = "/api/v1/namespaces/default/secrets";
    ASSERT_EQ(post(secrets, R"({"metadata":{"name":"s"},"stringData":{"a":"x"}})")->status, 201);
    EXPECT_EQ(get(at(secrets, "s"))->at({"data", "a"}), "eA==");
    const auto strategic = send("PATCH", at(secrets, "s"), R"({"data":{"a":null,"b":"eQ=="}})",
                                "application/strategic-merge-patch+json");
    EXPECT_EQ(strategic->at({"data", "b"}), "eQ==") << strategic->body;
    EXPECT_EQ(strategic->at({"data", "a"}), "<absent>");
}

TEST_F(Verbs, AWriteThatChangesNothingIsNotAWrite) {
    const auto made = make_workspace("w1");
    const auto before = store->revision();
    EXPECT_EQ(merge(at(workspaces, "w1"), "{}")->body, made->body);
    EXPECT_EQ(send("PUT", at(workspaces, "w1"), made->body)->body, made->body);
    EXPECT_EQ(store->revision(), before);
}

TEST_F(Verbs, StatusIsWrittenOnlyThroughItsSubresource) {
    const auto made = make_workspace("w1");
    const auto plain = merge(at(workspaces, "w1"), R"({"status":{"container":"c"}})");
    EXPECT_EQ(plain->at({"status"}), "<absent>");
    const auto status = merge(at(workspaces, "w1/status"),
                              R"({"status":{"container":"c"},"spec":{"runtime":"openclaw"}})");
    EXPECT_EQ(status->status, 200) << status->body;
    EXPECT_EQ(status->at({"status", "container"}), "c");
    EXPECT_EQ(status->at({"spec", "runtime"}), "hermes");
    EXPECT_EQ(status->at({"metadata", "generation"}), "1");
    const auto put =
        send("PUT", at(workspaces, "w1"),
             R"({"metadata":{"resourceVersion":")" + status->at({"metadata", "resourceVersion"}) +
                 R"("},"spec":{"runtime":"openclaw"}})");
    EXPECT_EQ(put->at({"status", "container"}), "c");
    EXPECT_EQ(get(at(workspaces, "w1/status"))->status, 200);
    EXPECT_EQ(get(at("/api/v1/namespaces/default/configmaps", "x/status"))->status, 404);
}

TEST_F(Verbs, DeletionAnswersTheUidAndWaitsForFinalizers) {
    const auto made = make_workspace("w1");
    const auto gone = send("DELETE", at(workspaces, "w1"), R"({"propagationPolicy":"Background"})");
    EXPECT_EQ(gone->status, 200);
    EXPECT_EQ(gone->at({"status"}), "Success");
    EXPECT_EQ(gone->at({"details", "uid"}), made->at({"metadata", "uid"}));
    EXPECT_EQ(send("DELETE", at(workspaces, "w1"), "")->status, 404);

    make_workspace("w2", R"(,"finalizers":["example.org/hold"])");
    const auto waits = send("DELETE", at(workspaces, "w2"), "");
    EXPECT_EQ(waits->status, 200);
    EXPECT_EQ(waits->at({"metadata", "deletionTimestamp"}), "2026-01-01T00:00:00Z");
    EXPECT_EQ(waits->at({"metadata", "generation"}), "2");
    EXPECT_EQ(send("DELETE", at(workspaces, "w2"), "")->body, waits->body);
    EXPECT_EQ(merge(at(workspaces, "w2"),
                    R"({"metadata":{"finalizers":["example.org/hold","example.org/new"]}})")
                  ->status,
              422);
    EXPECT_EQ(merge(at(workspaces, "w2"), R"({"metadata":{"finalizers":null}})")->status, 200);
    EXPECT_EQ(get(at(workspaces, "w2"))->status, 404);

    make_workspace("w3");
    const auto foreground = send("DELETE", at(workspaces, "w3?propagationPolicy=Foreground"), "");
    EXPECT_NE(foreground->body.find("foregroundDeletion"), std::string::npos);
    EXPECT_EQ(send("DELETE", at(workspaces, "w3?propagationPolicy=Sideways"), "")->status, 422);
}

TEST_F(Verbs, DeletionKeepsItsPreconditions) {
    const auto made = make_workspace("w1");
    const auto other = send("DELETE", at(workspaces, "w1"), R"({"preconditions":{"uid":"else"}})");
    EXPECT_EQ(other->status, 409);
    EXPECT_NE(other->body.find("Precondition failed: UID"), std::string::npos);
    EXPECT_EQ(send("DELETE", at(workspaces, "w1"), R"({"preconditions":{"resourceVersion":"1"}})")
                  ->status,
              409);
    EXPECT_EQ(send("DELETE", at(workspaces, "w1"),
                   R"({"preconditions":{"uid":")" + made->at({"metadata", "uid"}) + "\"}}")
                  ->status,
              200);
}

TEST_F(Verbs, ACollectionIsDeletedBySelector) {
    make_workspace("w1", R"(,"labels":{"a":"b"})");
    make_workspace("w2");
    EXPECT_EQ(send("DELETE", std::string(workspaces) + "?labelSelector=a%3Db", "")->status, 200);
    EXPECT_EQ(get(at(workspaces, "w1"))->status, 404);
    EXPECT_EQ(get(at(workspaces, "w2"))->status, 200);
}

TEST_F(Verbs, ListsAreSelectedAndPaged) {
    for (const char* name : {"c", "a", "b"})
        make_workspace(name, R"(,"labels":{"n":")" + std::string(name) + "\"}");
    const auto all = get(workspaces)->json();
    EXPECT_EQ(json::string_at(all, {"kind"}), "WorkspaceList");
    EXPECT_EQ(json::find(all, {"items"})->Size(), 3u);
    EXPECT_EQ(json::string_at((*json::find(all, {"items"}))[0], {"metadata", "name"}), "a");
    const std::string revision = json::string_at(all, {"metadata", "resourceVersion"});

    const auto first = get(std::string(workspaces) + "?limit=2");
    EXPECT_EQ(first->at({"metadata", "remainingItemCount"}), "1");
    make_workspace("d");
    const auto second =
        get(std::string(workspaces) + "?limit=2&continue=" + first->at({"metadata", "continue"}));
    EXPECT_EQ(second->at({"metadata", "resourceVersion"}), revision);
    EXPECT_EQ(json::find(second->json(), {"items"})->Size(), 1u);
    EXPECT_EQ(second->at({"metadata", "continue"}), "<absent>");

    EXPECT_EQ(
        json::find(get(std::string(workspaces) + "?labelSelector=n+in+(a,c)")->json(), {"items"})
            ->Size(),
        2u);
    EXPECT_EQ(json::find(get(std::string(workspaces) + "?fieldSelector=metadata.name%3Db")->json(),
                         {"items"})
                  ->Size(),
              1u);
    EXPECT_EQ(json::find(get("/apis/atelier.dev/v1alpha1/workspaces")->json(), {"items"})->Size(),
              4u);
    EXPECT_EQ(json::find(get("/api/v1/secrets")->json(), {"items"})->Size(), 0u);
    EXPECT_EQ(get(std::string(workspaces) + "?labelSelector=a+b")->status, 400);
    EXPECT_EQ(get(std::string(workspaces) + "?fieldSelector=spec.x%3D1")->status, 400);
    EXPECT_EQ(get(std::string(workspaces) + "?limit=many")->status, 400);
    EXPECT_EQ(get(std::string(workspaces) + "?continue=rubbish")->status, 400);
    EXPECT_EQ(get(std::string(workspaces) + "?sendInitialEvents=true")->status, 422);
    EXPECT_EQ(get(std::string(workspaces) + "?resourceVersionMatch=Exact")->at({"details", "kind"}),
              "ListOptions");
}

TEST_F(Verbs, ListsAtARevisionAreExactOrGone) {
    make_workspace("w0");
    const std::string revision = get(workspaces)->at({"metadata", "resourceVersion"});
    make_workspace("w1");
    const std::string page =
        get(std::string(workspaces) + "?limit=1")->at({"metadata", "continue"});
    const auto exact =
        get(std::string(workspaces) + "?resourceVersionMatch=Exact&resourceVersion=" + revision);
    EXPECT_EQ(json::find(exact->json(), {"items"})->Size(), 1u) << exact->body;
    for (int i = 0; i < 80; ++i) {
        merge(at(workspaces, "w0"), fmt::format(R"({{"metadata":{{"labels":{{"i":"{}"}}}}}})", i));
    }
    clock.advance(std::chrono::minutes(10));
    make_workspace("w2");
    get(workspaces);  // a new list takes the place of those that nobody reads any more
    const auto gone =
        get(std::string(workspaces) + "?resourceVersionMatch=Exact&resourceVersion=1");
    EXPECT_EQ(gone->status, 410) << gone->body;
    EXPECT_EQ(gone->at({"reason"}), "Expired");
    // A page that is too late is told where the newest state goes on.
    const auto late = get(std::string(workspaces) + "?limit=1&continue=" + page);
    EXPECT_EQ(late->status, 410) << late->body;
    const auto rest =
        get(std::string(workspaces) + "?limit=1&continue=" + late->at({"metadata", "continue"}));
    EXPECT_EQ(rest->status, 200) << rest->body;
    const json::Document items = rest->json();
    EXPECT_EQ(json::string_at((*json::find(items, {"items"}))[0], {"metadata", "name"}), "w1");
}

TEST_F(Verbs, AFutureRevisionIsWaitedForThenATimeout) {
    const auto wanted = std::to_string(store->revision() + 1);
    const auto late = get(std::string(workspaces) + "?resourceVersion=" + wanted);
    api->pump();
    EXPECT_FALSE(late->answered);
    make_workspace("w1");
    api->pump();
    EXPECT_EQ(late->status, 200);
    const auto never = get(std::string(workspaces) + "?resourceVersion=999999");
    clock.advance(std::chrono::seconds(4));
    api->pump();
    EXPECT_EQ(never->status, 504);
    EXPECT_NE(never->body.find("ResourceVersionTooLarge"), std::string::npos);
    EXPECT_EQ(never->header("retry-after"), "1");
}

TEST_F(Verbs, TablesHaveTheirCellsMadeHere) {
    make_workspace("w1");
    clock.advance(std::chrono::seconds(185));
    const auto list = get(std::string(workspaces) + "?limit=500", table)->json();
    EXPECT_EQ(json::string_at(list, {"kind"}), "Table");
    EXPECT_EQ(json::string_at(list, {"apiVersion"}), "meta.k8s.io/v1");
    const json::Value& name = (*json::find(list, {"columnDefinitions"}))[0];
    EXPECT_EQ(json::string_at(name, {"format"}), "name");
    const json::Value& row = (*json::find(list, {"rows"}))[0];
    EXPECT_EQ(json::string_at(row, {"object", "kind"}), "PartialObjectMetadata");
    const json::Value& cells = *json::find(row, {"cells"});
    EXPECT_EQ(json::view(cells[0]), "w1");
    EXPECT_EQ(json::view(cells[cells.Size() - 1]), "3m5s");
    EXPECT_EQ(cells.Size(), json::find(list, {"columnDefinitions"})->Size());

    const auto whole = get(std::string(workspaces) + "?includeObject=Object", table)->json();
    EXPECT_EQ(json::string_at((*json::find(whole, {"rows"}))[0], {"object", "kind"}), "Workspace");
    const auto one = get(at(workspaces, "w1"), table);
    EXPECT_EQ(json::find(one->json(), {"rows"})->Size(), 1u);
    EXPECT_EQ(get(std::string(workspaces) + "?includeObject=Half", table)->status, 400);
    const auto partial =
        get(at(workspaces, "w1"), "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    EXPECT_EQ(partial->at({"kind"}), "PartialObjectMetadata");
    EXPECT_EQ(partial->at({"spec"}), "<absent>");
    EXPECT_EQ(partial->at({"metadata", "name"}), "w1");
}

TEST_F(Verbs, DefinitionsAreThereToRead) {
    const std::string base = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const auto& kinds = shared_kinds().all();
    const auto ours = static_cast<rapidjson::SizeType>(std::count_if(
        kinds.begin(), kinds.end(), [](const auto& kind) { return kind->group == crds::group; }));
    ASSERT_GE(ours, 8u);
    const auto list = get(base)->json();
    EXPECT_EQ(json::find(list, {"items"})->Size(), ours);
    const auto rows = get(base, table)->json();
    EXPECT_EQ(json::view((*json::find((*json::find(rows, {"rows"}))[ours - 1], {"cells"}))[0]),
              "workspaces.atelier.dev");
    const auto one = get(base + "/workspaces.atelier.dev");
    EXPECT_NE(one->body.find(R"("type":"Established","status":"True")"), std::string::npos);
    const auto watched = get(base + "?watch=true&resourceVersion=0");
    api->pump();
    EXPECT_EQ(watched->events().size(), ours);
}

TEST_F(Verbs, ReviewsSayYes) {
    const auto access = post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                             R"({"spec":{"resourceAttributes":{"verb":"get"}}})");
    EXPECT_EQ(access->status, 201);
    EXPECT_EQ(access->at({"status", "allowed"}), "true");
    EXPECT_EQ(access->at({"spec", "resourceAttributes", "verb"}), "get");
    const auto who = post("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}");
    EXPECT_EQ(who->at({"status", "userInfo", "username"}), "admin");
    EXPECT_NE(who->body.find("system:authenticated"), std::string::npos);
    EXPECT_EQ(get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")->status, 405);
}

TEST_F(Verbs, MetricsCountRequestsByVerbAndResource) {
    make_workspace("w1");
    get(at(workspaces, "w1"));
    auto answer = std::make_shared<Answer>();
    api->handle(request_of("GET", "/metrics"), answer);
    EXPECT_NE(answer->body.find("apiserver_request_total{code=\"201\",resource=\"workspaces."
                                "atelier.dev\",verb=\"create\"} 1"),
              std::string::npos)
        << answer->body;
    EXPECT_NE(answer->body.find("apiserver_request_duration_seconds"), std::string::npos);
}

TEST_F(Verbs, Fault27_WhatKubectlAsksForIsThere) {
    // cluster-info
    const auto services = get("/api/v1/namespaces/kube-system/services?labelSelector=a%3Db");
    EXPECT_EQ(services->status, 200);
    EXPECT_EQ(services->at({"kind"}), "ServiceList");
    EXPECT_EQ(services->at({"items"}), "[]");
    EXPECT_EQ(post("/api/v1/namespaces/default/services", "{}")->status, 405);
    // explain plans
    const auto document = get("/openapi/v3/apis/atelier.dev/v1alpha1")->json();
    EXPECT_TRUE(json::find(document, {"components", "schemas", "dev.atelier.v1alpha1.Plan"}));
    const auto review =
        post("/apis/authentication.k8s.io/v1/tokenreviews", R"({"spec":{"token":"right"}})");
    EXPECT_EQ(review->at({"status", "user", "username"}), "admin");
    EXPECT_EQ(review->at({"status", "authenticated"}), "true");
}

}  // namespace
}  // namespace atelier::apiserver::test
