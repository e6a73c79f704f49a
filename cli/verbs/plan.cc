#include "cli/verbs/plan.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/objects/prepare.h"
#include "cli/objects/server_fields.h"
#include "cli/objects/three_way.h"
#include "cli/output/output.h"
#include "cli/output/plan_html.h"
#include "cli/output/plan_text.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

constexpr std::string_view api = "/apis/atelier.dev/v1alpha1/namespaces/";

std::string plans_path(const std::string& ns) {
    return std::string(api) + percent_encode(ns) + "/plans";
}

// With --exit-code, 1 means that something would change; an error must be another code then.
int plan_failure(Session& session, const Error& error) {
    const int code = session.fail(error);
    for (const Cause& cause : error.causes) {
        session.err() << "  " << printable(cause.field.empty() ? "" : cause.field + ": ")
                      << printable(cause.message) << "\n";
    }
    return session.arguments.on("exit-code") && code == exit_code::error ? exit_code::usage : code;
}

// The object that `apply` would leave on the server.
Result<json::Document> merged(Client& client, const Prepared& prepared) {
    const auto live = TRY(live_object(client, prepared));
    if (!live) return json::copy(prepared.wanted);
    json::Document out = json::copy(*live);
    const json::Document patch = three_way_patch(*live, prepared.wanted);
    json::merge_patch(out, patch, out.GetAllocator());
    remove_written_fields(out);
    return out;
}

// What a forecast is asked for.
struct PlanInput {
    std::string ns;
    std::vector<json::Document> objects;
};

// nullopt when a manifest is wrong; the error is on stderr then.
Result<std::optional<PlanInput>> read_files(Session& session, Client& client,
                                            const std::string& ns) {
    auto manifests = TRY(read_manifests(session.arguments.list("filename"),
                                        session.arguments.on("recursive"), session.terminal.in));
    for (const Error& error : manifests.errors) {
        session.err() << "error: " << printable(error.message) << "\n";
    }
    if (!manifests.errors.empty()) return std::optional<PlanInput>();
    if (manifests.objects.empty()) return Error{Code::not_found, "the files hold no objects"};
    PlanInput input;
    bool good = true;
    for (const Manifest& manifest : manifests.objects) {
        const auto prepared = prepare(session, client, manifest, ns);
        auto object =
            prepared ? merged(client, *prepared) : Result<json::Document>(prepared.error());
        if (!object) {
            if (object.error().code != Code::invalid) return object.error();
            report_error(session, manifest, object.error());
            good = false;
            continue;
        }
        if (!prepared->ns.empty() && !input.ns.empty() && input.ns != prepared->ns) {
            return Error{Code::invalid,
                         "the files hold objects of two namespaces, \"" + input.ns + "\" and \"" +
                             prepared->ns +
                             "\": a plan covers one namespace; make a plan for each"};
        }
        if (!prepared->ns.empty()) input.ns = prepared->ns;
        input.objects.push_back(*std::move(object));
    }
    if (!good) return std::optional<PlanInput>();
    if (input.ns.empty()) input.ns = ns;
    return std::optional<PlanInput>(std::move(input));
}

// Says which of the forecast changes do not happen yet although the forecast was applied. The exit
// code.
int report_held(Session& session, const ForecastStatus& status) {
    const auto held = std::count_if(status.items.begin(), status.items.end(),
                                    [](const ForecastItem& item) { return item.held; });
    if (held == 0) return exit_code::fine;
    session.err() << "error: " << held << " of these " << status.items.size()
                  << " changes are held, and do not happen before this is resolved:\n";
    for (const ForecastBlocker& blocker : status.blockers) {
        if (!blocker.blocks) continue;
        session.err() << "  " << printable(blocker.about) << ": " << printable(blocker.reason)
                      << ": " << printable(blocker.message) << "\n";
        if (!blocker.command.empty()) session.err() << "    " << printable(blocker.command) << "\n";
    }
    return exit_code::stalled;
}

Result<int> run(Session& session, const std::string& org) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    std::optional<PlanInput> input;
    if (org.empty()) {
        input = TRY(read_files(session, *client, ns));
        if (!input) return exit_code::usage;
    } else {
        input.emplace();
        input->ns = ns;
    }
    const json::Document plan = TRY(make_plan(session, input->ns, input->objects, org));
    return show_plan(session, input->ns, plan);
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
    const json::Value* const answered = json::find(*answer, {"status"});
    const json::Value none(rapidjson::kObjectType);
    const auto status = json::read<ForecastStatus>(answered ? *answered : none);
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
    return report_held(session, *status);
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
