#include "forecast/forecasts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/field_codec.h"
#include "base/fingerprint.h"
#include "crds/core.h"
#include "forecast/commit.h"
#include "forecast/workspace_reasons.h"

namespace atelier::forecast {
namespace {

constexpr Duration lifetime = std::chrono::hours(24);
constexpr std::size_t most_plans = 50;
constexpr std::size_t most_lines = 2000;  // that are stored, to say later what changed
constexpr std::size_t most_causes = 50;
constexpr std::size_t most_bytes = 1u << 20;  // of the objects of one forecast
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

std::map<std::string, std::string> digests_of(const std::vector<Precondition>& preconditions) {
    std::map<std::string, std::string> out;
    for (const Precondition& precondition : preconditions)
        out[precondition.key.text()] = precondition.uid + "/" + precondition.digest;
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

// What keeps items from happening, in a few words: "Org acme: Suspended".
std::string blockers_of(const Forecast& forecast) {
    std::vector<std::string> texts;
    for (const Blocker& blocker : forecast.blockers) {
        if (blocker.blocks) texts.push_back(blocker.about + ": " + blocker.reason);
    }
    return some_of(texts);
}

// "1 restart, 2 create; 3 unchanged; 2 wait for something else first (Org acme: Suspended)"
std::string summary_of(const Forecast& forecast) {
    std::string text;
    for (const auto& [step, name] : names_of(Step{})) {
        const auto count = forecast.counts.find(std::string(name));
        if (count == forecast.counts.end()) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count->second, name);
    }
    if (text.empty()) text = "no workspace changes";
    text += fmt::format("; {} unchanged", forecast.unchanged);
    const auto held = std::count_if(forecast.items.begin(), forecast.items.end(),
                                    [](const Item& item) { return item.held; });
    if (held == 0) return text;
    return text +
           fmt::format("; {} wait for something else first ({})", held, blockers_of(forecast));
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
    if (!token.empty() && !forecast.expires_at) forecast.expires_at = now + lifetime;
    json::set(plan, "status", json::write(forecast, allocator), allocator);
    return plan;
}

}  // namespace

// The forecast behind a token, as it is stored.
struct Forecasts::StoredForecast {
    std::string org;
    std::vector<json::Document> objects;
    std::vector<std::string> lines;
    std::map<std::string, std::string> preconditions;  // key to "<uid>/<digest>"
    std::map<std::string, std::string> values;         // of the environment, as fingerprints
    Instant expires;
    std::optional<Instant> applied;
    Revision revision = 0;  // of the Secret, as it was read
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("org", self.org);
        v("objects", self.objects);
        v("lines", self.lines);
        v("preconditions", self.preconditions);
        v("values", self.values);
        v("expires", self.expires);
        v("applied", self.applied);
    }

    Error difference_from(const ForecastResult& result) const {
        Error error{Code::conflict,
                    "what the plan depends on has changed, and nothing was written: make the plan "
                    "again, review it, and apply the new one"};
        auto now = lines_of(result.forecast);
        if (now.size() > most_lines) now.resize(most_lines);
        for (std::string& line : changed_lines(lines, now, most_causes)) {
            error.causes.push_back({"status.items", "Moved", std::move(line)});
        }
        if (!values.empty() || result.values.size() <= most_lines) {
            for (std::string& line : differing(values, result.values)) {
                if (error.causes.size() > most_causes) break;
                error.causes.push_back({"status.items", "Moved", std::move(line)});
            }
        }
        for (const auto& [key, digest] : digests_of(result.preconditions)) {
            const auto was = preconditions.find(key);
            if (preconditions.empty() || (was != preconditions.end() && was->second == digest))
                continue;
            if (error.causes.size() > most_causes) break;
            error.causes.push_back({"status.items", "Moved", key + " was changed"});
        }
        return error;
    }
};

Forecasts::Forecasts(Dependencies dependencies, const Clock& clock, std::stop_token stop)
    : dependencies_(std::move(dependencies)),
      objects_(dependencies_.store, dependencies_.kinds, dependencies_.random, dependencies_.log),
      clock_(clock),
      stop_(std::move(stop)) {}

Result<Request> Forecasts::request_of(const std::string& ns, const json::Value& spec) const {
    Request request{ns, {}, ""};
    if (!spec.IsObject()) return Error{Code::invalid, "spec: is required"};
    for (const auto& member : spec.GetObject()) {
        const std::string_view name = json::view(member.name);
        if (name == "org" && member.value.IsString()) {
            request.org = json::view(member.value);
        } else if (name == "objects" && member.value.IsArray()) {
            for (const json::Value& object : member.value.GetArray()) {
                request.objects.push_back(json::copy(object));
            }
        } else {
            return Error{
                Code::invalid,
                fmt::format("spec.{}: a plan has `objects` (a list) and `org` (a name)", name)};
        }
    }
    if (request.org.empty() && request.objects.empty()) {
        return Error{Code::invalid, "spec: name objects, or an org"};
    }
    std::size_t bytes = 0;
    for (const json::Document& object : request.objects) bytes += json::text(object).size();
    if (bytes > most_bytes) {
        return Error{Code::too_large,
                     fmt::format("the objects of a plan have {} bytes; at most {} are taken", bytes,
                                 most_bytes)};
    }
    return request;
}

std::string Forecasts::token_of(const Request& request, const ForecastResult& result) const {
    std::string text = request.ns + "\n" + request.org + "\n";
    for (const json::Document& object : request.objects) text += json::canonical(object) + "\n";
    for (const std::string& line : lines_of(result.forecast)) text += line + "\n";
    for (const auto& [key, digest] : digests_of(result.preconditions))
        text += key + " " + digest + "\n";
    for (const OrgTarget& org : result.forecast.orgs)
        text += org.org + " " + org.environment + "\n";
    for (const auto& [name, value] : result.values) text += name + " " + value + "\n";
    return keyed_digest(dependencies_.fingerprint_key, text).substr(0, token_length);
}

Result<json::Document> Forecasts::make(const std::string& ns, const json::Value& spec) {
    const Instant now = clock_.now();
    Request request = TRY(request_of(ns, spec));
    const ForecastResult result = TRY(make_forecast(dependencies_, request, now, stop_));
    std::string token;
    if (!result.forecast.empty()) {
        token = token_of(request, result);
        StoredForecast stored;
        stored.org = request.org;
        stored.lines = lines_of(result.forecast);
        if (stored.lines.size() > most_lines) stored.lines.resize(most_lines);
        stored.preconditions = digests_of(result.preconditions);
        if (stored.preconditions.size() > most_lines) stored.preconditions.clear();
        if (result.values.size() <= most_lines) stored.values = result.values;
        stored.expires = now + lifetime;
        stored.objects = std::move(request.objects);
        TRY(store(ns, token, stored, now));
    }
    return document_of(ns, token, result.forecast, now);
}

Result<json::Document> Forecasts::of_org(const std::string& ns, const std::string& org) {
    const Instant now = clock_.now();
    const ForecastResult result = TRY(make_forecast(dependencies_, {ns, {}, org}, now, stop_));
    return document_of(ns, "", result.forecast, now);
}

Result<json::Document> Forecasts::apply(const std::string& ns, const std::string& token) {
    const Instant now = clock_.now();
    StoredForecast stored = TRY(find(ns, token, now));
    std::vector<std::string> written;
    Forecast forecast;
    bool already = stored.applied.has_value();
    if (!already) {
        auto done = apply_unchanged(ns, token, stored, forecast, now);
        if (done) {
            written = *std::move(done);
        } else {
            // Somebody else may have applied it in this very moment.
            auto again = find(ns, token, now);
            already = again && again->applied.has_value();
            if (!already) return done.error();
            stored = *std::move(again);
        }
    }
    forecast.expires_at = stored.expires;
    forecast.applied_at = stored.applied;
    forecast.already_applied = already;
    forecast.applied = std::move(written);
    return document_of(ns, token, std::move(forecast), now);
}

// Makes the forecast again, and writes the proposed objects if it is the same.
Result<std::vector<std::string>> Forecasts::apply_unchanged(const std::string& ns,
                                                            const std::string& token,
                                                            StoredForecast& stored,
                                                            Forecast& forecast, Instant now) {
    Request request{ns, {}, stored.org};
    for (const json::Document& object : stored.objects) {
        request.objects.push_back(json::copy(object));
    }
    ForecastResult result = TRY(make_forecast(dependencies_, request, now, stop_));
    if (token_of(request, result) != token) return stored.difference_from(result);
    stored.applied = now;
    stored.objects.clear();  // they are written: their values need not be stored twice
    const TokenUpdate token_update{TRY(secret_of(ns, token, stored)), stored.revision};
    auto written = TRY(commit_forecast(dependencies_, result, token_update, now));
    forecast = std::move(result.forecast);
    return written;
}

Result<Forecasts::StoredForecast> Forecasts::find(const std::string& ns, const std::string& token,
                                                  Instant now) {
    const Error unknown{Code::not_found,
                        fmt::format("there is no plan \"{}\" in the namespace \"{}\": it was never "
                                    "made there, or it has expired (plans are kept for a day); "
                                    "make it again with `atelier plan`",
                                    token.substr(0, 64), ns)};
    if (!is_token(token)) return unknown;
    const auto secret = TRY(objects_.secret(ns, name_of_plan(token)));
    if (!secret || secret->type != plan_type) return unknown;
    const auto text = secret->data.find("plan");
    if (text == secret->data.end()) return unknown;
    const json::Document document = TRY(json::parse(text->second));
    StoredForecast stored = TRY(json::read<StoredForecast>(document));
    if (stored.expires <= now) return unknown;
    stored.revision = secret->meta.revision;
    return stored;
}

Result<ProposedObject> Forecasts::secret_of(const std::string& ns, const std::string& token,
                                            const StoredForecast& stored) const {
    crds::Secret secret;
    secret.meta.name = name_of_plan(token);
    secret.meta.ns = ns;
    secret.meta.labels[std::string(crds::label::managed)] = "true";
    secret.meta.labels[std::string(label)] = token;
    secret.meta.annotations[std::string(expires_at)] = rfc3339(stored.expires);
    secret.type = plan_type;
    secret.data["plan"] = json::text(json::document_of(stored));
    std::vector<json::Document> all;
    all.push_back(crds::encode_secret(secret));
    auto proposed = TRY(proposed_objects_of(all, ns, dependencies_.kinds));
    return std::move(proposed.front());
}

Result<void> Forecasts::store(const std::string& ns, const std::string& token,
                              const StoredForecast& stored, Instant now) {
    TRY(remove_expired(ns, now));
    const ProposedObject secret = TRY(secret_of(ns, token, stored));
    for (int attempt = 0;; ++attempt) {
        const auto old = dependencies_.store.get(secret.key);
        const auto done =
            put(dependencies_.store, secret, old ? old->revision : 0, dependencies_.random, now);
        if (done) return {};
        // Another request made the same forecast at the same time.
        const Code code = done.error().code;
        const bool raced = code == Code::conflict || code == Code::already_exists;
        if (!raced || attempt == most_write_attempts) return done.error();
    }
}

// Removes the forecasts that have expired, and the oldest ones when there are too many.
Result<void> Forecasts::remove_expired(const std::string& ns, Instant now) {
    std::vector<store::ObjectPtr> plans;
    const auto secrets = dependencies_.store.list(crds::Secret::resource);
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
