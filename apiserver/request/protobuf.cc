#include "apiserver/request/protobuf.h"

#include <fmt/format.h>

#include <map>

#include "apiserver/request/kube.pb.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view magic{"k8s\0", 4};

// Fills one JSON object; what is empty is left out.
class Writer {
  public:
    explicit Writer(json::Allocator& allocator)
        : allocator_(allocator), value_(rapidjson::kObjectType) {}

    Writer& text(std::string_view name, const std::string& value) {
        if (!value.empty()) json::set(value_, name, value, allocator_);
        return *this;
    }
    Writer& number(std::string_view name, bool present, std::int64_t value) {
        if (present) json::set(value_, name, json::Value(value), allocator_);
        return *this;
    }
    Writer& flag(std::string_view name, bool present, bool value) {
        if (present) json::set(value_, name, json::Value(value), allocator_);
        return *this;
    }
    Writer& time(std::string_view name, const kube::Time& time, bool micro = false) {
        if (time.seconds() == 0 && time.nanos() == 0) return *this;
        constexpr std::int64_t most = 253'402'300'799;  // the last second of the year 9999
        const std::int64_t seconds = std::clamp<std::int64_t>(time.seconds(), 0, most);
        const Instant at{std::chrono::seconds(seconds) +
                         std::chrono::microseconds(time.nanos() / 1000)};
        json::set(value_, name, micro ? rfc3339_micro(at) : rfc3339(at), allocator_);
        return *this;
    }
    Writer& object(std::string_view name, json::Value value) {
        if (value.MemberCount() > 0) json::set(value_, name, std::move(value), allocator_);
        return *this;
    }
    template <class Map>
    Writer& strings(std::string_view name, const Map& map) {
        return entries(name, map, [](const std::string& s) { return s; });
    }
    template <class Map>
    Writer& bytes(std::string_view name, const Map& map) {
        return entries(name, map, [](const std::string& s) { return base64(s); });
    }
    template <class List, class Write>
    Writer& list(std::string_view name, const List& values, Write write) {
        if (values.empty()) return *this;
        json::Value out(rapidjson::kArrayType);
        for (const auto& value : values) out.PushBack(write(value), allocator_);
        json::set(value_, name, std::move(out), allocator_);
        return *this;
    }
    json::Value done() { return std::move(value_); }

  private:
    // Sorted, so that the same message always gives the same text.
    template <class Map, class Convert>
    Writer& entries(std::string_view name, const Map& map, Convert convert) {
        if (map.empty()) return *this;
        json::Value out(rapidjson::kObjectType);
        const std::map<std::string, std::string> sorted(map.begin(), map.end());
        // Each key is there once, so none has to be looked for among the others.
        for (const auto& [key, value] : sorted) {
            out.AddMember(json::make(key, allocator_), json::make(convert(value), allocator_),
                          allocator_);
        }
        json::set(value_, name, std::move(out), allocator_);
        return *this;
    }

    json::Allocator& allocator_;
    json::Value value_;
};

json::Value metadata(const kube::ObjectMeta& m, json::Allocator& a) {
    const auto owner = [&](const kube::OwnerReference& o) {
        return Writer(a)
            .text("apiVersion", o.api_version())
            .text("kind", o.kind())
            .text("name", o.name())
            .text("uid", o.uid())
            .flag("controller", o.has_controller(), o.controller())
            .flag("blockOwnerDeletion", o.has_block_owner_deletion(), o.block_owner_deletion())
            .done();
    };
    return Writer(a)
        .text("name", m.name())
        .text("generateName", m.generate_name())
        .text("namespace", m.namespace_())
        .text("uid", m.uid())
        .text("resourceVersion", m.resource_version())
        .number("generation", m.generation() != 0, m.generation())
        .time("creationTimestamp", m.creation_timestamp())
        .time("deletionTimestamp", m.deletion_timestamp())
        .strings("labels", m.labels())
        .strings("annotations", m.annotations())
        .list("ownerReferences", m.owner_references(), owner)
        .list("finalizers", m.finalizers(), [&](const std::string& s) { return json::make(s, a); })
        .done();
}

json::Value reference(const kube::ObjectReference& r, json::Allocator& a) {
    return Writer(a)
        .text("kind", r.kind())
        .text("namespace", r.namespace_())
        .text("name", r.name())
        .text("uid", r.uid())
        .text("apiVersion", r.api_version())
        .text("resourceVersion", r.resource_version())
        .text("fieldPath", r.field_path())
        .done();
}

void write(const kube::Secret& s, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(s.metadata(), a))
        .bytes("data", s.data())
        .strings("stringData", s.string_data())
        .text("type", s.type())
        .flag("immutable", s.has_immutable(), s.immutable());
}

void write(const kube::ConfigMap& c, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(c.metadata(), a))
        .strings("data", c.data())
        .bytes("binaryData", c.binary_data())
        .flag("immutable", c.has_immutable(), c.immutable());
}

void write(const kube::Namespace& n, Writer& out, json::Allocator& a) {
    const auto text = [&](const std::string& s) { return json::make(s, a); };
    out.object("metadata", metadata(n.metadata(), a))
        .object("spec", Writer(a).list("finalizers", n.spec().finalizers(), text).done())
        .object("status", Writer(a).text("phase", n.status().phase()).done());
}

void write(const kube::ServiceAccount& s, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(s.metadata(), a))
        .list("secrets", s.secrets(),
              [&](const kube::ObjectReference& r) { return reference(r, a); })
        .list(
            "imagePullSecrets", s.image_pull_secrets(),
            [&](const kube::LocalReference& r) { return Writer(a).text("name", r.name()).done(); })
        .flag("automountServiceAccountToken", s.has_automount_service_account_token(),
              s.automount_service_account_token());
}

void write(const kube::Event& e, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(e.metadata(), a))
        .object("involvedObject", reference(e.involved_object(), a))
        .text("reason", e.reason())
        .text("message", e.message())
        .object("source", Writer(a)
                              .text("component", e.source().component())
                              .text("host", e.source().host())
                              .done())
        .time("firstTimestamp", e.first_timestamp())
        .time("lastTimestamp", e.last_timestamp())
        .number("count", e.count() != 0, e.count())
        .text("type", e.type())
        .time("eventTime", e.event_time(), true)
        .object("series", Writer(a)
                              .number("count", e.series().count() != 0, e.series().count())
                              .time("lastObservedTime", e.series().last_observed_time(), true)
                              .done())
        .text("action", e.action())
        .object("related", reference(e.related(), a))
        .text("reportingComponent", e.reporting_component())
        .text("reportingInstance", e.reporting_instance());
}

void write(const kube::Lease& l, Writer& out, json::Allocator& a) {
    const kube::LeaseSpec& s = l.spec();
    out.object("metadata", metadata(l.metadata(), a))
        .object("spec",
                Writer(a)
                    .text("holderIdentity", s.holder_identity())
                    .number("leaseDurationSeconds", s.has_lease_duration_seconds(),
                            s.lease_duration_seconds())
                    .time("acquireTime", s.acquire_time(), true)
                    .time("renewTime", s.renew_time(), true)
                    .number("leaseTransitions", s.has_lease_transitions(), s.lease_transitions())
                    .text("strategy", s.strategy())
                    .text("preferredHolder", s.preferred_holder())
                    .done());
}

void write(const kube::DeleteOptions& d, Writer& out, json::Allocator& a) {
    out.number("gracePeriodSeconds", d.has_grace_period_seconds(), d.grace_period_seconds())
        .object("preconditions", Writer(a)
                                     .text("uid", d.preconditions().uid())
                                     .text("resourceVersion", d.preconditions().resource_version())
                                     .done())
        .flag("orphanDependents", d.has_orphan_dependents(), d.orphan_dependents())
        .text("propagationPolicy", d.propagation_policy())
        .list("dryRun", d.dry_run(), [&](const std::string& s) { return json::make(s, a); });
}

void write(const kube::SelfSubjectAccessReview& r, Writer& out, json::Allocator& a) {
    const kube::ResourceAttributes& on = r.spec().resource_attributes();
    const kube::NonResourceAttributes& path = r.spec().non_resource_attributes();
    out.object("metadata", metadata(r.metadata(), a))
        .object("spec",
                Writer(a)
                    .object("resourceAttributes", Writer(a)
                                                      .text("namespace", on.namespace_())
                                                      .text("verb", on.verb())
                                                      .text("group", on.group())
                                                      .text("version", on.version())
                                                      .text("resource", on.resource())
                                                      .text("subresource", on.subresource())
                                                      .text("name", on.name())
                                                      .done())
                    .object("nonResourceAttributes",
                            Writer(a).text("path", path.path()).text("verb", path.verb()).done())
                    .done());
}

void write(const kube::SelfSubjectRulesReview& r, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(r.metadata(), a))
        .object("spec", Writer(a).text("namespace", r.spec().namespace_()).done());
}

void write(const kube::SelfSubjectReview& r, Writer& out, json::Allocator& a) {
    out.object("metadata", metadata(r.metadata(), a));
}

template <class Message>
Result<json::Document> decode(const kube::Unknown& envelope) {
    Message message;
    if (!message.ParseFromString(envelope.raw())) {
        return Error{Code::invalid,
                     fmt::format("the protobuf body is not a {}", envelope.type_meta().kind())};
    }
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    Writer writer(allocator);
    writer.text("apiVersion", envelope.type_meta().api_version())
        .text("kind", envelope.type_meta().kind());
    write(message, writer, allocator);
    static_cast<json::Value&>(out) = writer.done();
    // Protobuf has no rule against a NUL, JSON as we store it has; and texts must be UTF-8.
    const std::string text = json::text(out);
    if (!is_valid_utf8(text) || text.find("\\u0000") != std::string::npos) {
        return Error{Code::invalid, "the protobuf body has a text that is not UTF-8"};
    }
    return out;
}

}  // namespace

Result<json::Document> decode_protobuf(std::string_view body) {
    kube::Unknown envelope;
    if (!body.starts_with(magic) ||
        !envelope.ParseFromArray(body.data() + magic.size(),
                                 static_cast<int>(body.size() - magic.size()))) {
        return Error{Code::invalid, "the body is not Kubernetes' protobuf envelope"};
    }
    using Decode = Result<json::Document> (*)(const kube::Unknown&);
    static const std::map<std::string_view, Decode> decoders{
        {"ConfigMap", decode<kube::ConfigMap>},
        {"DeleteOptions", decode<kube::DeleteOptions>},
        {"Event", decode<kube::Event>},
        {"Lease", decode<kube::Lease>},
        {"Namespace", decode<kube::Namespace>},
        {"Secret", decode<kube::Secret>},
        {"SelfSubjectAccessReview", decode<kube::SelfSubjectAccessReview>},
        {"SelfSubjectReview", decode<kube::SelfSubjectReview>},
        {"SelfSubjectRulesReview", decode<kube::SelfSubjectRulesReview>},
        {"ServiceAccount", decode<kube::ServiceAccount>}};
    const auto decoder = decoders.find(envelope.type_meta().kind());
    if (decoder == decoders.end()) {
        return Error{Code::unsupported, fmt::format("kind \"{}\" is not accepted as protobuf",
                                                    envelope.type_meta().kind())};
    }
    return decoder->second(envelope);
}

}  // namespace atelier::apiserver
