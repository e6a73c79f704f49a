#include "apiserver/present/representation.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view end_of_initial_events =
    R"(,"annotations":{"k8s.io/initial-events-end":"true"})";

std::string table_head(const View& view, std::string_view metadata, std::string_view columns) {
    std::string out = R"({"kind":"Table","apiVersion":"meta.k8s.io/)" + view.as.version;
    out += "\",\"metadata\":";
    out += metadata;
    out += ",\"columnDefinitions\":";
    out += columns;
    out += ",\"rows\":[";
    return out;
}

std::string revision_metadata(Revision revision) {
    return fmt::format("{{\"resourceVersion\":\"{}\"}}", revision);
}

}  // namespace

Presenter::Presenter(const Catalog& catalog, const Clock& clock) : clock_(clock) {
    for (const crds::Kind* kind : catalog.kinds()) tables_[kind] = std::make_unique<Table>(*kind);
}

Table& Presenter::table(const crds::Kind& kind) {
    return *tables_.at(&kind);
}

Frame Presenter::one(const crds::Kind& kind, const store::ObjectPtr& object, const View& view) {
    if (view.as.form == Form::object) return Frame(object, &object->body);
    auto out = std::make_shared<std::string>();
    if (view.as.form == Form::partial) {
        append_partial(*out, *object, view.as.version);
    } else {
        *out = head(kind, view, revision_metadata(object->revision));
        append_element(*out, kind, *object, view, clock_.now());
        *out += tail();
    }
    return out;
}

void Presenter::append_element(std::string& out, const crds::Kind& kind,
                               const store::Object& object, const View& view, Instant now) {
    switch (view.as.form) {
        case Form::object:
            out += object.body;
            break;
        case Form::partial:
            append_partial(out, object, view.as.version);
            break;
        case Form::table:
            table(kind).append_row(out, object, view.rows, view.as.version, now);
            break;
    }
}

std::string Presenter::head(const crds::Kind& kind, const View& view, std::string_view metadata) {
    if (view.as.form == Form::table) {
        return table_head(view, metadata, table(kind).column_definitions());
    }
    const bool partial = view.as.form == Form::partial;
    std::string out = "{\"kind\":";
    append_quoted(out, partial ? "PartialObjectMetadataList" : kind.list_kind);
    out += ",\"apiVersion\":";
    append_quoted(out, partial ? "meta.k8s.io/" + view.as.version : kind.api_version());
    out += ",\"metadata\":";
    out += metadata;
    out += ",\"items\":[";
    return out;
}

void Presenter::append_event(std::string& out, EventType type, const crds::Kind& kind,
                             const store::Object& object, const View& view, bool with_columns) {
    out += event_head(type);
    if (view.as.form == Form::table) {
        out += table_head(view, revision_metadata(object.revision),
                          with_columns ? table(kind).column_definitions() : "[]");
        append_element(out, kind, object, view, clock_.now());
        out += "]}";
    } else {
        append_element(out, kind, object, view, {});
    }
    out += event_tail();
}

std::string_view Presenter::event_head(EventType type) {
    if (type == EventType::added) return R"({"type":"ADDED","object":)";
    return type == EventType::modified ? R"({"type":"MODIFIED","object":)"
                                       : R"({"type":"DELETED","object":)";
}

Frame Presenter::bookmark(const crds::Kind& kind, Revision revision, const View& view,
                          bool initial_end) {
    const bool plain = view.as.form == Form::object;
    std::string object = "{\"kind\":";
    append_quoted(object, plain ? kind.kind : "PartialObjectMetadata");
    object += ",\"apiVersion\":";
    append_quoted(object, plain ? kind.api_version() : "meta.k8s.io/" + view.as.version);
    object +=
        fmt::format(R"(,"metadata":{{"resourceVersion":"{}","creationTimestamp":null)", revision);
    if (initial_end) object += end_of_initial_events;
    object += "}}";
    if (view.as.form == Form::table) {
        object = table_head(view, revision_metadata(revision), "[]") +
                 "{\"cells\":[],\"object\":" + object + "}]}";
    }
    return std::make_shared<const std::string>("{\"type\":\"BOOKMARK\",\"object\":" + object +
                                               "}\n");
}

Frame Presenter::error(const Failure& failure) {
    std::string status = status_json(failure);
    status.pop_back();
    return std::make_shared<const std::string>("{\"type\":\"ERROR\",\"object\":" + status + "}\n");
}

store::ObjectPtr at_revision(const store::Object& object, Revision revision) {
    auto out = std::make_shared<store::Object>(object);
    out->revision = revision;
    out->meta.revision = revision;
    const std::string_view body = object.body;
    const std::string_view value = member_text(member_text(body, "metadata"), "resourceVersion");
    if (value.empty()) return out;
    const std::size_t at = static_cast<std::size_t>(value.data() - body.data());
    out->body.replace(at, value.size(), fmt::format("\"{}\"", revision));
    return out;
}

}  // namespace atelier::apiserver
