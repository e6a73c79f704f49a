#include "forecast/forecasts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/field_codec.h"
#include "base/fingerprint.h"
#include "crds/core.h"
#include "forecast/apply.h"

namespace atelier::forecast {
namespace {

constexpr Duration kept_for = std::chrono::hours(24);
constexpr std::size_t most_plans = 50;
constexpr std::size_t most_lines = 2000;  // of a plan that is kept, for saying what moved
constexpr std::size_t most_moved = 50;
constexpr std::size_t most_bytes = 1u << 20;  // of the objects of one plan
constexpr std::size_t token_length = 20;
constexpr int most_write_attempts = 8;
constexpr std::string_view label = "atelier.dev/plan";
constexpr std::string_view expires_at = "atelier.dev/expires-at";

std::string name_of_plan(const std::string& token) {
    return "plan-" + token;
}

bool is_token(const std::string& text) {
    return text.size() == token_length && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::map<std::string, std::string> digests_of(const std::vector<Base>& bases) {
    std::map<std::string, std::string> out;
    for (const Base& base : bases) out[base.key.text()] = base.uid + "/" + base.digest;
    return out;
}

// "Org acme: the org's .env: TOKEN changed (1a2b3c4d -> 5e6f7a8b)"
std::vector<std::string> differing(const std::map<std::string, std::string>& before,
                                   const std::map<std::string, std::string>& after) {
    std::vector<std::string> out;
    for (const auto& [name, value] : after) {
        const auto was = before.find(name);
        if (was == before.end()) {
            out.push_back(fmt::format("{} added ({})", name, value));
        } else if (was->second != value) {
            out.push_back(fmt::format("{} changed ({} -> {})", name, was->second, value));
        }
    }
    for (const auto& [name, value] : before) {
        if (!after.contains(name)) out.push_back(name + " removed");
    }
    return out;
}

// "1 restart, 2 create; 3 unchanged"
std::string summary_of(const Forecast& forecast) {
    std::string text;
    for (const auto& [step, name] : names_of(Step{})) {
        const auto count = forecast.counts.find(std::string(name));
        if (count == forecast.counts.end()) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count->second, name);
    }
    if (text.empty()) text = "no workspace changes";
    return text + fmt::format("; {} unchanged", forecast.unchanged);
}

json::Document document_of(const std::string& ns, const std::string& token, Forecast forecast,
                           Instant now) {
    json::Document plan(rapidjson::kObjectType);
    auto& allocator = plan.GetAllocator();
    json::set(plan, "apiVersion", crds::api_version, allocator);
    json::set(plan, "kind", "Plan", allocator);
    json::Value& metadata = json::object_at(plan, "metadata", allocator);
    json::set(metadata, "name", token, allocator);
    json::set(metadata, "namespace", ns, allocator);
    json::set(metadata, "creationTimestamp", rfc3339(now), allocator);
    forecast.summary = summary_of(forecast);
    forecast.token = token;
    if (!token.empty() && !forecast.expires_at) forecast.expires_at = now + kept_for;
    json::set(plan, "status", json::write(forecast, allocator), allocator);
    return plan;
}

}  // namespace

// What a token stands for, as it is kept.
struct Forecasts::Kept {
    std::string org;
    std::vector<json::Document> objects;
    std::vector<std::string> lines;
    std::map<std::string, std::string> bases;   // key -> uid and digest of its essence
    std::map<std::string, std::string> values;  // of the environment, by fingerprint
    Instant expires;
    std::optional<Instant> applied;
    Revision revision = 0;  // of the Secret, as it was read
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("org", self.org);
        v("objects", self.objects);
        v("lines", self.lines);
        v("bases", self.bases);
        v("values", self.values);
        v("expires", self.expires);
        v("applied", self.applied);
    }

    Error what_moved(const Answer& answer) const {
        Error error{Code::conflict,
                    "what the plan was made of has moved, and nothing was written: make it anew, "
                    "look at it, and apply that"};
        auto now = lines_of(answer.forecast);
        if (now.size() > most_lines) now.resize(most_lines);
        for (std::string& line : moved(lines, now, most_moved)) {
            error.causes.push_back({"status.items", "Moved", std::move(line)});
        }
        if (!values.empty() || answer.values.size() <= most_lines) {
            for (std::string& line : differing(values, answer.values)) {
                if (error.causes.size() > most_moved) break;
                error.causes.push_back({"status.items", "Moved", std::move(line)});
            }
        }
        for (const auto& [key, digest] : digests_of(answer.bases)) {
            const auto was = bases.find(key);
            if (bases.empty() || (was != bases.end() && was->second == digest)) continue;
            if (error.causes.size() > most_moved) break;
            error.causes.push_back({"status.items", "Moved", key + " was changed"});
        }
        return error;
    }
};

Forecasts::Forecasts(Tools tools, const Clock& clock, std::stop_token stop)
    : tools_(std::move(tools)),
      objects_(tools_.store, tools_.kinds, tools_.random, tools_.log),
      clock_(clock),
      stop_(std::move(stop)) {}

Result<Question> Forecasts::question_of(const std::string& ns, const json::Value& spec) const {
    Question question{ns, {}, ""};
    if (!spec.IsObject()) return Error{Code::invalid, "spec: is required"};
    for (const auto& member : spec.GetObject()) {
        const std::string_view name = json::view(member.name);
        if (name == "org" && member.value.IsString()) {
            question.org = json::view(member.value);
        } else if (name == "objects" && member.value.IsArray()) {
            for (const json::Value& object : member.value.GetArray()) {
                question.objects.push_back(json::copy(object));
            }
        } else {
            return Error{
                Code::invalid,
                fmt::format("spec.{}: a plan has `objects` (a list) and `org` (a name)", name)};
        }
    }
    if (question.org.empty() && question.objects.empty()) {
        return Error{Code::invalid, "spec: name objects, or an org"};
    }
    std::size_t bytes = 0;
    for (const json::Document& object : question.objects) bytes += json::text(object).size();
    if (bytes > most_bytes) {
        return Error{Code::too_large,
                     fmt::format("the objects of a plan have {} bytes; at most {} are taken", bytes,
                                 most_bytes)};
    }
    return question;
}

std::string Forecasts::token_of(const Question& question, const Answer& answer) const {
    std::string text = question.ns + "\n" + question.org + "\n";
    for (const json::Document& object : question.objects) text += json::canonical(object) + "\n";
    for (const std::string& line : lines_of(answer.forecast)) text += line + "\n";
    for (const auto& [key, digest] : digests_of(answer.bases)) text += key + " " + digest + "\n";
    for (const Followed& org : answer.forecast.orgs) text += org.org + " " + org.environment + "\n";
    for (const auto& [name, value] : answer.values) text += name + " " + value + "\n";
    return keyed_digest(tools_.fingerprint_key, text).substr(0, token_length);
}

Result<json::Document> Forecasts::make(const std::string& ns, const json::Value& spec) {
    const Instant now = clock_.now();
    Question question = TRY(question_of(ns, spec));
    const Answer answer = TRY(make_forecast(tools_, question, now, stop_));
    std::string token;
    if (!answer.forecast.empty()) {
        token = token_of(question, answer);
        Kept kept;
        kept.org = question.org;
        kept.lines = lines_of(answer.forecast);
        if (kept.lines.size() > most_lines) kept.lines.resize(most_lines);
        kept.bases = digests_of(answer.bases);
        if (kept.bases.size() > most_lines) kept.bases.clear();
        if (answer.values.size() <= most_lines) kept.values = answer.values;
        kept.expires = now + kept_for;
        kept.objects = std::move(question.objects);
        TRY(keep(ns, token, kept, now));
    }
    return document_of(ns, token, answer.forecast, now);
}

Result<json::Document> Forecasts::of_org(const std::string& ns, const std::string& org) {
    const Instant now = clock_.now();
    const Answer answer = TRY(make_forecast(tools_, {ns, {}, org}, now, stop_));
    return document_of(ns, "", answer.forecast, now);
}

Result<json::Document> Forecasts::apply(const std::string& ns, const std::string& token) {
    const Instant now = clock_.now();
    Kept kept = TRY(find(ns, token, now));
    std::vector<std::string> written;
    Forecast forecast;
    bool already = kept.applied.has_value();
    if (!already) {
        auto done = carry_out(ns, token, kept, forecast, now);
        if (done) {
            written = *std::move(done);
        } else {
            // Somebody else may have applied it in this very moment.
            auto again = find(ns, token, now);
            already = again && again->applied.has_value();
            if (!already) return done.error();
            kept = *std::move(again);
        }
    }
    forecast.expires_at = kept.expires;
    forecast.applied_at = kept.applied;
    forecast.already_applied = already;
    forecast.applied = std::move(written);
    return document_of(ns, token, std::move(forecast), now);
}

// Makes the forecast anew, and writes what was planned if it is the same.
Result<std::vector<std::string>> Forecasts::carry_out(const std::string& ns,
                                                      const std::string& token, Kept& kept,
                                                      Forecast& forecast, Instant now) {
    Question question{ns, {}, kept.org};
    for (const json::Document& object : kept.objects) {
        question.objects.push_back(json::copy(object));
    }
    Answer answer = TRY(make_forecast(tools_, question, now, stop_));
    if (token_of(question, answer) != token) return kept.what_moved(answer);
    kept.applied = now;
    kept.objects.clear();  // they are written: their values need not be kept twice
    const Receipt receipt{TRY(secret_of(ns, token, kept)), kept.revision};
    auto written = TRY(write_plan(tools_, answer, receipt, now));
    forecast = std::move(answer.forecast);
    return written;
}

Result<Forecasts::Kept> Forecasts::find(const std::string& ns, const std::string& token,
                                        Instant now) {
    const Error unknown{Code::not_found,
                        fmt::format("there is no plan \"{}\" in the namespace \"{}\": it was never "
                                    "made there, or it has expired (plans are kept for a day); "
                                    "make it anew with `atelier plan`",
                                    token.substr(0, 64), ns)};
    if (!is_token(token)) return unknown;
    const auto secret = TRY(objects_.secret(ns, name_of_plan(token)));
    if (!secret || secret->type != plan_type) return unknown;
    const auto text = secret->data.find("plan");
    if (text == secret->data.end()) return unknown;
    const json::Document document = TRY(json::parse(text->second));
    Kept kept = TRY(json::read<Kept>(document));
    if (kept.expires <= now) return unknown;
    kept.revision = secret->meta.revision;
    return kept;
}

Result<ProposedObject> Forecasts::secret_of(const std::string& ns, const std::string& token,
                                            const Kept& kept) const {
    crds::Secret secret;
    secret.meta.name = name_of_plan(token);
    secret.meta.ns = ns;
    secret.meta.labels[std::string(crds::label::managed)] = "true";
    secret.meta.labels[std::string(label)] = token;
    secret.meta.annotations[std::string(expires_at)] = rfc3339(kept.expires);
    secret.type = plan_type;
    secret.data["plan"] = json::text(json::document_of(kept));
    std::vector<json::Document> all;
    all.push_back(crds::encode_secret(secret));
    auto proposed = TRY(proposed_objects_of(all, ns, tools_.kinds));
    return std::move(proposed.front());
}

Result<void> Forecasts::keep(const std::string& ns, const std::string& token, const Kept& kept,
                             Instant now) {
    TRY(make_room(ns, now));
    const ProposedObject secret = TRY(secret_of(ns, token, kept));
    for (int attempt = 0;; ++attempt) {
        const auto old = tools_.store.get(secret.key);
        const auto done = put(tools_.store, secret, old ? old->revision : 0, tools_.random, now);
        if (done) return {};
        // The same plan is made twice at once.
        const Code code = done.error().code;
        const bool raced = code == Code::conflict || code == Code::already_exists;
        if (!raced || attempt == most_write_attempts) return done.error();
    }
}

// Those that have expired go, and the oldest when there are too many.
Result<void> Forecasts::make_room(const std::string& ns, Instant now) {
    std::vector<store::ObjectPtr> plans;
    const auto secrets = tools_.store.list(crds::Secret::resource);
    for (const auto& object : secrets->objects) {
        if (object->key.ns == ns && !object->meta.label(label).empty()) plans.push_back(object);
    }
    std::sort(plans.begin(), plans.end(),
              [](const auto& a, const auto& b) { return a->revision < b->revision; });
    std::size_t left = plans.size();
    for (const auto& object : plans) {
        const auto until = parse_rfc3339(object->meta.annotation(expires_at));
        if (until && *until > now && left < most_plans) continue;
        const auto secret = TRY(crds::decode_secret(object->body));
        if (secret.type != plan_type) continue;
        TRY(objects_.remove_secret(secret, now));
        --left;
    }
    return {};
}

}  // namespace atelier::forecast
