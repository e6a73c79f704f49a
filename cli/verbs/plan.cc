#include "cli/verbs/plan.h"

#include <ostream>

#include "base/text.h"
#include "cli/output/output.h"
#include "cli/output/text_table.h"
#include "cli/prepare.h"
#include "cli/three_way.h"
#include "cli/verb.h"

namespace atelier::cli {
namespace {

constexpr std::string_view api = "/apis/atelier.dev/v1alpha1/namespaces/";

std::string plans_path(const std::string& ns) {
    return std::string(api) + percent_encode(ns) + "/plans";
}

// With --exit-code, 1 says that there are changes: an error is something else then.
int plan_failure(Session& session, const Error& error) {
    const int code = session.fail(error);
    for (const Cause& cause : error.causes) {
        session.err() << "  " << printable(cause.field.empty() ? "" : cause.field + ": ")
                      << printable(cause.message) << "\n";
    }
    return session.arguments.on("exit-code") && code == exit_code::error ? exit_code::usage : code;
}

// What `apply` would make of the live object.
Result<json::Document> merged(Client& client, const Prepared& prepared) {
    const auto live = TRY(live_object(client, prepared));
    if (!live) return json::copy(prepared.wanted);
    json::Document out = json::copy(*live);
    const json::Document patch = three_way_patch(*live, prepared.wanted);
    json::merge_patch(out, patch, out.GetAllocator());
    json::remove(out, "status");
    if (json::Value* metadata = json::find(out, {"metadata"})) {
        for (const std::string_view own : {"resourceVersion", "managedFields", "generation"}) {
            json::remove(*metadata, own);
        }
    }
    return out;
}

struct Asked {
    std::string ns;
    std::vector<json::Document> objects;
};

// nullopt: something was wrong, and is told.
Result<std::optional<Asked>> read_files(Session& session, Client& client, const std::string& ns) {
    auto manifests = TRY(read_manifests(session.arguments.list("filename"),
                                        session.arguments.on("recursive"), session.terminal.in));
    for (const Error& error : manifests.errors) {
        session.err() << "error: " << printable(error.message) << "\n";
    }
    if (!manifests.errors.empty()) return std::optional<Asked>();
    if (manifests.objects.empty()) return Error{Code::not_found, "the files hold no objects"};
    Asked asked;
    bool good = true;
    for (const Manifest& manifest : manifests.objects) {
        const auto prepared = prepare(session, client, manifest, ns);
        auto object =
            prepared ? merged(client, *prepared) : Result<json::Document>(prepared.error());
        if (!object) {
            if (object.error().code != Code::invalid) return object.error();
            tell_error(session, manifest, object.error());
            good = false;
            continue;
        }
        if (!prepared->ns.empty() && !asked.ns.empty() && asked.ns != prepared->ns) {
            return Error{Code::invalid, "the files are of two namespaces, \"" + asked.ns +
                                            "\" and \"" + prepared->ns +
                                            "\": a plan is of one; make one for each"};
        }
        if (!prepared->ns.empty()) asked.ns = prepared->ns;
        asked.objects.push_back(*std::move(object));
    }
    if (!good) return std::optional<Asked>();
    if (asked.ns.empty()) asked.ns = ns;
    return std::optional<Asked>(std::move(asked));
}

Result<int> run(Session& session, const std::string& org) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    std::optional<Asked> asked;
    if (org.empty()) {
        asked = TRY(read_files(session, *client, ns));
        if (!asked) return exit_code::usage;
    } else {
        asked.emplace();
        asked->ns = ns;
    }
    const json::Document plan = TRY(make_plan(session, asked->ns, asked->objects, org));
    return show_plan(session, asked->ns, plan);
}

}  // namespace

Result<json::Document> make_plan(Session& session, const std::string& ns,
                                 const std::vector<json::Document>& objects,
                                 const std::string& org) {
    json::Document body(rapidjson::kObjectType);
    auto& allocator = body.GetAllocator();
    json::set(body, "apiVersion", "atelier.dev/v1alpha1", allocator);
    json::set(body, "kind", "Plan", allocator);
    json::Value& spec = json::object_at(body, "spec", allocator);
    if (!org.empty()) json::set(spec, "org", org, allocator);
    if (!objects.empty()) {
        json::Value list(rapidjson::kArrayType);
        for (const json::Document& object : objects) {
            list.PushBack(json::Value(object, allocator), allocator);
        }
        json::set(spec, "objects", std::move(list), allocator);
    }
    Client* const client = TRY(session.client());
    return client->call(
        {"POST", plans_path(ns), {}, "application/json", "application/json", json::text(body)});
}

int show_plan(Session& session, const std::string& ns, const json::Document& plan) {
    const json::Value* const status = json::find(plan, {"status"});
    const json::Value none(rapidjson::kObjectType);
    const auto read = json::read<ForecastStatus>(status ? *status : none);
    if (!read) return plan_failure(session, read.error().in("the server's plan"));
    const std::string format = session.arguments.text("output");
    if (format == "html") {
        session.out() << plan_html(*read, ns,
                                   json::string_at(plan, {"metadata", "creationTimestamp"}));
    } else if (format.empty() || format == "table") {
        session.out() << plan_text(*read, ns, speaks_unicode(session.process.environment));
    } else {
        const auto parsed = format_of(format);
        if (!parsed) return session.usage(parsed.error().message);
        session.out() << object_text(*parsed, plan);
    }
    const bool changes = !read->items.empty();
    return session.arguments.on("exit-code") && changes ? exit_code::error : exit_code::fine;
}

int apply_plan(Session& session, const std::string& token) {
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    const auto answer =
        (*client)->call({"POST", plans_path(*ns) + "/" + percent_encode(token) + "/apply"});
    if (!answer) {
        const int code = session.fail(answer.error());
        for (const Cause& cause : answer.error().causes) {
            session.err() << "  " << printable(cause.message) << "\n";
        }
        return code;
    }
    const json::Value* const told = json::find(*answer, {"status"});
    const json::Value none(rapidjson::kObjectType);
    const auto status = json::read<ForecastStatus>(told ? *told : none);
    if (!status) return session.fail(status.error().in("the server's plan"));
    if (status->already_applied.value_or(false)) {
        session.out() << "plan " << printable(token) << " was applied at "
                      << (status->applied_at ? rfc3339(*status->applied_at) : "an earlier time")
                      << "; nothing was done\n";
        return exit_code::fine;
    }
    for (const std::string& one : status->applied) session.out() << printable(one) << "\n";
    session.out() << "plan " << printable(token) << " applied: " << printable(status->summary)
                  << "\n";
    return exit_code::fine;
}

int run_plan(Session& session) {
    const auto& words = session.arguments.words;
    const bool files = session.arguments.given("filename");
    const bool unnamed = !words.empty() && words[0].empty();
    if (files == !words.empty() || words.size() > 1 || unnamed) {
        return session.usage("name files by -f, or one org: atelier plan -f FILE | ORG");
    }
    const std::string format = session.arguments.text("output");
    if (!format.empty() && format != "html" && format != "table") {
        const auto parsed = format_of(format);
        if (!parsed || parsed->is_table() || parsed->kind == Format::Kind::name) {
            return session.usage(
                "a plan is shown as table, html, json, yaml or jsonpath=PATH, not "
                "as \"" +
                format + "\"");
        }
    }
    const auto code = run(session, words.empty() ? "" : words[0].substr(words[0].find('/') + 1));
    return code ? *code : plan_failure(session, code.error());
}

}  // namespace atelier::cli
