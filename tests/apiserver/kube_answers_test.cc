// Our answers beside those of a kube-apiserver 1.20.2 that served our CRDs: kube_answers.jsonl
// holds one request a line, in the order they were sent, and what it answered, without uids, times
// and revisions.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <set>

#include "tests/apiserver/api_world.h"

namespace atelier::apiserver::test {
namespace {

struct Difference {
    int status;
    std::string_view answer;  // as failure_text(), or empty for success
    std::string_view why;
};

constexpr std::string_view its_defect = "a 500 for a mistake of the client is a defect of its own";
constexpr std::string_view no_apply = "there is no server-side apply here: no fields are managed";
constexpr std::string_view names_it = "the answer names what is wrong, where it says nothing";
constexpr std::string_view names_type = "a type is told from a value by its own reason";
constexpr std::string_view large = "a body of megabytes, which the file leaves out";

// Where ours differs on purpose.
const std::map<std::string_view, Difference>& reasoned() {
    static const std::map<std::string_view, Difference> all{
        {"create data type",
         {422, "Invalid ConfigMap. k data.a/FieldValueTypeInvalid",
          "it names a field, not Go types"}},
        {"create yaml", {201, "", "newer servers read YAML everywhere"}},
        {"create rv", {400, "BadRequest . ", its_defect}},
        {"list rv bad", {400, "BadRequest . ", its_defect}},
        {"watch rv bad", {400, "BadRequest . ", its_defect}},
        {"merge bad json", {400, "BadRequest . ", its_defect}},
        {"delete bad opts", {400, "BadRequest . ", its_defect}},
        {"apply", {415, "UnsupportedMediaType . ", no_apply}},
        {"apply no manager", {415, "UnsupportedMediaType . ", no_apply}},
        {"apply conflict", {415, "UnsupportedMediaType . ", no_apply}},
        {"apply force", {415, "UnsupportedMediaType . ", no_apply}},
        {"secret bad b64",
         {422, "Invalid Secret. s2 data.a/FieldValueInvalid", "it names a field, not Go types"}},
        {"secret basic-auth",
         {422,
          "Invalid Secret. s5 data[password]/FieldValueRequired data[username]/FieldValueRequired",
          "its field has a format in place of the name: data[%s][username]"}},
        {"merge type", {422, "Invalid ConfigMap. c1 data/FieldValueTypeInvalid", names_it}},
        {"jp test fail", {422, "Invalid ConfigMap. c2 patch/FieldValueInvalid", names_it}},
        {"jp missing", {422, "Invalid ConfigMap. c2 patch/FieldValueInvalid", names_it}},
        {"jp bad op", {422, "Invalid ConfigMap. c2 patch/FieldValueInvalid", names_it}},
        {"jp replace kind", {422, "Invalid ConfigMap. c2 kind/FieldValueInvalid", names_it}},
        {"ws type",
         {422, "Invalid Workspace.atelier.dev w2 spec.tier/FieldValueTypeInvalid", names_type}},
        {"ws list type",
         {422, "Invalid Workspace.atelier.dev w2 spec.plugins/FieldValueTypeInvalid", names_type}},
        {"ws put no rv",
         {422, "Invalid Workspace.atelier.dev w1 metadata.resourceVersion/FieldValueInvalid",
          "every other 422 names the kind, and so does this one"}},
        {"ws scale", {404, "NotFound . ", "the path is not served, whatever the object"}},
        {"delete precond", {409, "Conflict configmaps. c0", "every other 409 names the resource"}},
        {"delete precond rv",
         {409, "Conflict configmaps. c0", "every other 409 names the resource"}},
        {"owner bad",
         {422, "Invalid ConfigMap. ob metadata.ownerReferences[0].uid/FieldValueInvalid",
          "the index says which owner is meant"}},
        {"huge", {400, "BadRequest . ", large}},
        {"too huge", {400, "BadRequest . ", large}},
        {"annotations too long", {400, "BadRequest . ", large}},
    };
    return all;
}

using KubeAnswers = ApiWorld;

std::string body_of(const json::Value& line) {
    const json::Value* body = json::find(line, {"body"});
    if (!body || body->IsNull()) return {};
    return body->IsString() ? std::string(json::view(*body)) : json::text(*body);
}

// "Invalid Workspace.atelier.dev w2: spec.tier/FieldValueInvalid", the causes in order of their
// text.
std::string failure_text(const json::Value& status) {
    std::string out = json::string_at(status, {"reason"}) + " " +
                      json::string_at(status, {"details", "kind"}) + "." +
                      json::string_at(status, {"details", "group"}) + " " +
                      json::string_at(status, {"details", "name"});
    std::set<std::string> causes;
    const json::Value* list = json::find(status, {"details", "causes"});
    for (rapidjson::SizeType i = 0; list && i < list->Size(); ++i) {
        causes.insert(json::string_at((*list)[i], {"field"}) + "/" +
                      json::string_at((*list)[i], {"reason"}));
    }
    for (const std::string& cause : causes) out += " " + cause;
    return out;
}

TEST_F(KubeAnswers, Fault27_AreOursOrDifferWithAReason) {
    std::ifstream in(std::string(ATELIER_SOURCE_DIR) + "/tests/apiserver/kube_answers.jsonl");
    int count = 0;
    for (std::string text; std::getline(in, text); ++count) {
        const auto line = json::parse(text);
        ASSERT_TRUE(line) << text;
        const std::string name = json::string_at(*line, {"name"});
        Request request =
            request_of(json::string_at(*line, {"method"}), json::string_at(*line, {"path"}));
        request.body = body_of(*line);
        if (const json::Value* headers = json::find(*line, {"headers"})) {
            for (const auto& header : headers->GetObject()) {
                request.headers.emplace_back(lower(json::view(header.name)),
                                             json::view(header.value));
            }
        }
        const auto answer = send(std::move(request));
        const std::string ours = answer->status >= 400 ? failure_text(answer->json()) : "";
        if (const auto differs = reasoned().find(name); differs != reasoned().end()) {
            EXPECT_EQ(answer->status, differs->second.status) << name << answer->body;
            EXPECT_EQ(ours, differs->second.answer) << name;
            continue;
        }
        EXPECT_EQ(answer->status, json::find(*line, {"status"})->GetInt()) << name << answer->body;
        const json::Value* status = json::find(*line, {"answer"});
        if (answer->status < 400 || !status->IsObject()) continue;
        EXPECT_EQ(ours, failure_text(*status)) << name;
    }
    EXPECT_EQ(count, 165);
}

}  // namespace
}  // namespace atelier::apiserver::test
