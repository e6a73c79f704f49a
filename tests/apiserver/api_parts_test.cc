// The pure parts of the API: selectors, negotiation, patches, tokens, statuses.
#include <gtest/gtest.h>

#include "apiserver/present/accept.h"
#include "apiserver/present/failure.h"
#include "apiserver/request/page.h"
#include "apiserver/request/protobuf.h"
#include "apiserver/resources/selectors.h"
#include "apiserver/verbs/json_patch.h"
#include "apiserver/verbs/strategic_merge.h"
#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

using Labels = std::map<std::string, std::string>;

bool matches(std::string_view selector, const Labels& labels) {
    const auto parsed = LabelSelector::parse(selector);
    EXPECT_TRUE(parsed) << selector << ": " << parsed.error().message;
    return parsed && parsed->matches(labels);
}

TEST(LabelSelectors, FollowTheRulesOfKubernetes) {
    const Labels labels{{"app", "web"}, {"example.org/tier", "3"}, {"empty", ""}};
    for (const char* yes : {"", " ", "app", "!db", "app=web", "app==web", "app!=db", "db!=x",
                            "app in (web,db)", "app in ( web )", "db notin (x,y)", "app notin (db)",
                            "example.org/tier>2", "example.org/tier<4", "app=web,!db",
                            "empty=", "app in (web),example.org/tier=3", "empty in (,x)"}) {
        EXPECT_TRUE(matches(yes, labels)) << yes;
    }
    for (const char* no : {"db", "!app", "app=db", "app!=web", "app notin (web)", "app in (db,x)",
                           "example.org/tier>3", "app>1", "db<1", "app,db"}) {
        EXPECT_FALSE(matches(no, labels)) << no;
    }
    for (const char* bad : {"app in web", "app in (web", "=x", "a b", "a,,b", "a in", "a>x", "/a",
                            "UPPER/a", "a=b=c", "-a", "a=", "!"}) {
        const bool valid_empty_value = std::string_view(bad) == "a=";
        EXPECT_EQ(bool(LabelSelector::parse(bad)), valid_empty_value) << bad;
    }
}

crds::Kind kind_named(std::string plural) {
    crds::Kind kind;
    kind.plural = std::move(plural);
    kind.version = "v1";
    return kind;
}

TEST(FieldSelectors, MatchNamesAndTheFieldsOfAKind) {
    store::Object object;
    object.key = {"events", "ns", "e1"};
    object.body = R"({"metadata":{"name":"e1"},"reason":"Up\"1","involvedObject":{"name":"w,1",)"
                  R"("kind":"Workspace"},"source":{"component":"atelier"}})";
    const crds::Kind events = kind_named("events");
    const auto finds = [&](std::string_view text) {
        const auto selector = FieldSelector::parse(text, events);
        EXPECT_TRUE(selector) << text;
        return selector && selector->matches(object);
    };
    EXPECT_TRUE(finds("metadata.name=e1,metadata.namespace=ns"));
    EXPECT_TRUE(finds("involvedObject.kind==Workspace,involvedObject.name=w\\,1"));
    EXPECT_TRUE(finds("source=atelier,reason=Up\"1,type="));
    EXPECT_TRUE(finds("metadata.name!=other"));
    EXPECT_FALSE(finds("metadata.name!=e1"));
    EXPECT_FALSE(finds("involvedObject.uid=u"));
    const auto refused = FieldSelector::parse("spec.x=1", events);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "field label not supported: spec.x");
    EXPECT_FALSE(FieldSelector::parse("status.phase=x", kind_named("configmaps")));
    EXPECT_FALSE(FieldSelector::parse("metadata.name", events));
}

TEST(Negotiation, TakesTheFirstClauseThatCanBeAnswered) {
    EXPECT_EQ(negotiate_resource("")->form, Form::object);
    EXPECT_EQ(negotiate_resource("text/html, */*")->form, Form::object);
    EXPECT_EQ(negotiate_resource("application/vnd.kubernetes.protobuf,application/json")->form,
              Form::object);
    const auto beta = negotiate_resource("application/json;as=Table;v=v1beta1;g=meta.k8s.io");
    EXPECT_EQ(beta->form, Form::table);
    EXPECT_EQ(beta->version, "v1beta1");
    EXPECT_EQ(
        negotiate_resource("application/json;as=Table;v=v2;g=meta.k8s.io,application/json")->form,
        Form::object);
    EXPECT_EQ(negotiate_resource("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
                  ->form,
              Form::partial);
    EXPECT_FALSE(negotiate_resource("application/yaml"));
    EXPECT_EQ(*negotiate_discovery("application/json;g=apidiscovery.k8s.io;v=v2;as="
                                   "APIGroupDiscoveryList,application/json"),
              DiscoveryForm::v2);
    EXPECT_EQ(*negotiate_discovery("application/json, */*"), DiscoveryForm::plain);
    EXPECT_EQ(media_type("Application/JSON; charset=utf-8"), "application/json");
}

std::string json_patched(std::string_view target, std::string_view patch) {
    auto document = json::parse(target);
    const auto operations = json::parse(patch);
    EXPECT_TRUE(document && operations) << target << patch;
    const auto done = apply_json_patch(*document, *operations);
    if (!done) return done.error().causes.empty() ? "malformed" : "unfit";
    return json::text(*document);
}

TEST(JsonPatch, IsRfc6902) {
    EXPECT_EQ(json_patched(R"({"a":{"b":1}})", R"([{"op":"add","path":"/a/c","value":2}])"),
              R"({"a":{"b":1,"c":2}})");
    EXPECT_EQ(json_patched(R"({"l":[1,3]})", R"([{"op":"add","path":"/l/1","value":2}])"),
              R"({"l":[1,2,3]})");
    EXPECT_EQ(json_patched(R"({"l":[1]})", R"([{"op":"add","path":"/l/-","value":2}])"),
              R"({"l":[1,2]})");
    EXPECT_EQ(json_patched(R"({"l":[1,2,3]})", R"([{"op":"remove","path":"/l/0"}])"),
              R"({"l":[2,3]})");
    EXPECT_EQ(json_patched(R"({"l":[1,2]})", R"([{"op":"replace","path":"/l/1","value":5}])"),
              R"({"l":[1,5]})");
    EXPECT_EQ(json_patched(R"({"a":1})", R"([{"op":"move","from":"/a","path":"/b"}])"),
              R"({"b":1})");
    EXPECT_EQ(json_patched(R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/a/0"}])"),
              R"({"a":[[1],1]})");
    EXPECT_EQ(json_patched(R"({"a/b":1,"m~n":2})", R"([{"op":"test","path":"/a~1b","value":1},)"
                                                   R"({"op":"test","path":"/m~0n","value":2}])"),
              R"({"a/b":1,"m~n":2})");
    EXPECT_EQ(json_patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])"), "unfit");
    EXPECT_EQ(json_patched(R"({"a":1})", R"([{"op":"remove","path":"/b"}])"), "unfit");
    EXPECT_EQ(json_patched(R"({"l":[]})", R"([{"op":"add","path":"/l/1","value":0}])"), "unfit");
    EXPECT_EQ(json_patched(R"({"l":[1]})", R"([{"op":"remove","path":"/l/00"}])"), "unfit");
    EXPECT_EQ(json_patched(R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])"), "unfit");
    EXPECT_EQ(json_patched("{}", R"([{"op":"jump","path":"/a"}])"), "unfit");
    EXPECT_EQ(json_patched("{}", R"([{"op":"add","path":"a","value":1}])"), "unfit");
    EXPECT_EQ(json_patched("{}", R"([{"op":"add","path":"/a"}])"), "unfit");
    EXPECT_EQ(json_patched("{}", "null"), "unfit");
    EXPECT_EQ(json_patched("{}", R"({"op":"add"})"), "malformed");
    EXPECT_EQ(json_patched(R"({"a":1,"b":2})", R"([{"op":"replace","path":"/a","value":3}])"),
              R"({"a":3,"b":2})");
    EXPECT_EQ(json_patched(R"({"a":{"b":[1]}})", R"([{"op":"add","path":"/a/b/0","value":0},)"
                                                 R"({"op":"copy","from":"/a","path":"/c"},)"
                                                 R"({"op":"test","path":"/c","value":{"b":[0,1]}},)"
                                                 R"({"op":"move","from":"/c/b","path":"/a/b/1"}])"),
              R"({"a":{"b":[0,[0,1],1]},"c":{}})");
}

TEST(JsonPatch, CannotBeMadeToGrowWithoutBound) {
    auto document = json::parse(R"({"a":"0123456789012345678901234567890123456789"})");
    std::string patch = "[";
    for (int i = 0; i < 40; ++i) {
        patch += R"({"op":"copy","from":"","path":"/c)" + std::to_string(i) + "\"},";
    }
    patch.back() = ']';
    const auto operations = json::parse(patch);
    const auto done = apply_json_patch(*document, *operations);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::too_large);
}

std::string strategic(std::string_view target, std::string_view patch) {
    auto document = json::parse(target);
    const auto change = json::parse(patch);
    EXPECT_TRUE(document && change) << patch;
    const auto done = apply_strategic_merge(*document, *change, document->GetAllocator());
    return done ? json::text(*document) : "refused";
}

TEST(StrategicMerge, MergesTheListsThatHaveKeys) {
    EXPECT_EQ(strategic(R"({"data":{"a":"1","b":"2"}})", R"({"data":{"b":null,"c":"3"}})"),
              R"({"data":{"a":"1","c":"3"}})");
    EXPECT_EQ(strategic(R"({"metadata":{"finalizers":["a"]}})",
                        R"({"metadata":{"finalizers":["a","b"]}})"),
              R"({"metadata":{"finalizers":["a","b"]}})");
    EXPECT_EQ(strategic(R"({"metadata":{"finalizers":["a","b","c"]}})",
                        R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["b"],)"
                        R"("$setElementOrder/finalizers":["c","a"]}})"),
              R"({"metadata":{"finalizers":["c","a"]}})");
    EXPECT_EQ(strategic(R"({"secrets":[{"name":"a"},{"name":"b"}]})",
                        R"({"secrets":[{"name":"c"},{"name":"a","$patch":"delete"}]})"),
              R"({"secrets":[{"name":"b"},{"name":"c"}]})");
    EXPECT_EQ(strategic(R"({"metadata":{"ownerReferences":[{"uid":"1","name":"x"}]}})",
                        R"({"metadata":{"ownerReferences":[{"uid":"1","name":"y"}]}})"),
              R"({"metadata":{"ownerReferences":[{"uid":"1","name":"y"}]}})");
    EXPECT_EQ(strategic(R"({"spec":{"a":1,"b":2}})", R"({"spec":{"$patch":"replace","c":3}})"),
              R"({"spec":{"c":3}})");
    EXPECT_EQ(strategic(R"({"spec":{"a":1,"b":2}})", R"({"spec":{"$retainKeys":["a"],"a":5}})"),
              R"({"spec":{"a":5}})");
    EXPECT_EQ(strategic(R"({"other":[1,2]})", R"({"other":[3]})"), R"({"other":[3]})");
    EXPECT_EQ(strategic("{}", R"({"secrets":[{"x":1}]})"), "refused");
    EXPECT_EQ(strategic("{}", R"({"spec":{"$patch":"explode"}})"), "refused");
    EXPECT_EQ(strategic("{}", "[]"), "refused");
}

TEST(JsonText, FindsMembersWithoutAParse) {
    const std::string text =
        R"( {"a":{"x":"}\"]","n":[1,{"b":2}]} , "b" : -1.5e3, "c":"q\"\u00e9\n", "d":true})";
    EXPECT_EQ(member_text(text, "a"), R"({"x":"}\"]","n":[1,{"b":2}]})");
    EXPECT_EQ(member_text(text, "b"), "-1.5e3");
    EXPECT_EQ(member_text(text, "d"), "true");
    EXPECT_EQ(member_text(text, "x"), "");
    EXPECT_EQ(string_below(text, {"a", "x"}), "}\"]");
    EXPECT_EQ(string_below(text, {"c"}), "q\"\xc3\xa9\n");
    EXPECT_EQ(string_below(text, {"a", "none", "deeper"}), "");
    EXPECT_EQ(quoted("a\"\\\n\x01"), R"("a\"\\\n\u0001")");
    EXPECT_EQ(member_text("[1]", "a"), "");
    EXPECT_EQ(member_text(R"({"a":)", "a"), "");
    EXPECT_EQ(member_text(R"({"a":"\)", "b"), "");
}

TEST(Pages, SurviveTheirTokenAndNothingElse) {
    const auto page = decode_page(encode_page({42, "ns", "a.b"}));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->revision, 42);
    EXPECT_EQ(page->ns, "ns");
    EXPECT_EQ(page->name, "a.b");
    for (const char* bad : {"", "x", "e30", "bm9wZQ", "####", "eyJydiI6MH0"}) {
        EXPECT_FALSE(decode_page(bad)) << bad;
    }
}

TEST(Statuses, NameTheResourceExceptWhenAKindIsInvalid) {
    crds::Kind kind = kind_named("workspaces");
    kind.group = "atelier.dev";
    kind.kind = "Workspace";
    const Failure missing = failure_of({Code::not_found, "x"}, &kind, "w1");
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.kind, "workspaces");
    EXPECT_EQ(missing.message, "workspaces.atelier.dev \"w1\" not found");
    Error invalid{Code::invalid, "m", {}, {{"spec.a", "FieldValueInvalid", "bad a"}}};
    const Failure one = failure_of(invalid, &kind, "w1");
    EXPECT_EQ(one.status, 422);
    EXPECT_EQ(one.kind, "Workspace");
    EXPECT_EQ(one.message, "Workspace.atelier.dev \"w1\" is invalid: spec.a: bad a");
    invalid.causes.push_back({"spec.b", "FieldValueRequired", "bad b"});
    EXPECT_EQ(failure_of(invalid, &kind, "w1").message,
              "Workspace.atelier.dev \"w1\" is invalid: [spec.a: bad a, spec.b: bad b]");
    EXPECT_EQ(failure_of({Code::invalid, "why"}, &kind, "w1").status, 400);
    const auto parsed = json::parse(status_json(one));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(json::string_at(*parsed, {"details", "kind"}), "Workspace");
    EXPECT_EQ(json::find(*parsed, {"details", "causes"})->Size(), 1u);
    EXPECT_EQ(json::string_at(*parsed, {"reason"}), "Invalid");
}

// Field 1 of an envelope, and so on, written by hand: what kubectl sends for `create secret`.
std::string field(int number, std::string_view bytes) {
    std::string out;
    out += static_cast<char>(number << 3 | 2);
    out += static_cast<char>(bytes.size());
    return out + std::string(bytes);
}

TEST(Protobuf, DecodesASecret) {
    const std::string data = field(1, "user") + field(2, std::string("\x00\xff", 2));
    const std::string secret =
        field(1, field(1, "s1") + field(3, "") + field(11, field(1, "l") + field(2, "v"))) +
        field(2, data) + field(3, "Opaque");
    const std::string body = std::string("k8s\0", 4) +
                             field(1, field(1, "v1") + field(2, "Secret")) + field(2, secret) +
                             field(3, "") + field(4, "");
    const auto decoded = decode_protobuf(body);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(json::text(*decoded), R"({"apiVersion":"v1","kind":"Secret",)"
                                    R"("metadata":{"name":"s1","labels":{"l":"v"}},)"
                                    R"("data":{"user":"AP8="},"type":"Opaque"})");
    EXPECT_FALSE(decode_protobuf("k8s"));
    EXPECT_FALSE(decode_protobuf(std::string("k8s\0\xff\xff", 6)));
    const auto unknown =
        decode_protobuf(std::string("k8s\0", 4) + field(1, field(1, "v1") + field(2, "Pod")));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Code::unsupported);
}

}  // namespace
}  // namespace atelier::apiserver
