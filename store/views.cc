#include "store/views.h"

#include <fmt/format.h>

namespace atelier::store {
namespace {

enum class Form { text, integer, json, time };

struct Field {
    std::string_view column;
    Form form;
    std::string_view path;  // "spec.displayName"
};

struct View {
    std::string_view name;
    std::string_view resource;
    std::vector<Field> fields;
    // Columns that need more than one field, by dialect, over the row `o` and the body `j`.
    std::vector<std::string> sqlite;
    std::vector<std::string> postgres;
};

std::string sqlite_field(const Field& field) {
    // Times stay RFC 3339 text, as in the objects, which sorts by time.
    return fmt::format("json_extract(o.j, '$.{}') AS {}", field.path, field.column);
}

std::string postgres_path(std::string_view path) {
    std::string out = "{";
    for (const char c : path) out += c == '.' ? ',' : c;
    return out + "}";
}

std::string postgres_field(const Field& field) {
    const std::string path = postgres_path(field.path);
    switch (field.form) {
        case Form::json:
            return fmt::format("o.j #> '{}' AS {}", path, field.column);
        case Form::integer:
            return fmt::format("(o.j #>> '{}')::bigint AS {}", path, field.column);
        case Form::time:
            return fmt::format("(o.j #>> '{}')::timestamptz AS {}", path, field.column);
        case Form::text:
            break;
    }
    return fmt::format("o.j #>> '{}' AS {}", path, field.column);
}

// An expression for a field of the condition of that type.
std::string condition(Dialect dialect, std::string_view type, std::string_view field) {
    if (dialect == Dialect::sqlite) {
        return fmt::format(
            "(SELECT json_extract(c.value, '$.{}') FROM json_each(o.j, '$.status.conditions') c "
            "WHERE json_extract(c.value, '$.type') = '{}')",
            field, type);
    }
    return fmt::format(
        "(jsonb_path_query_first(o.j, '$.status.conditions[*] ? (@.type == \"{}\").{}') #>> "
        "'{{}}')",
        type, field);
}

std::string text_at(Dialect dialect, std::string_view path) {
    return dialect == Dialect::sqlite ? fmt::format("json_extract(o.j, '$.{}')", path)
                                      : fmt::format("(o.j #>> '{}')", postgres_path(path));
}

std::string workspace_status(Dialect dialect) {
    return fmt::format(
        "CASE WHEN {} IS NOT NULL THEN 'removing' "
        "WHEN {} = 'Paused' THEN 'paused' WHEN {} = 'Hibernated' THEN 'hibernated' "
        "WHEN {} = 'True' THEN 'failed' WHEN {} = 'True' THEN 'online' "
        "WHEN {} = 'Unknown' THEN 'unknown' ELSE 'provisioning' END AS status",
        text_at(dialect, "metadata.deletionTimestamp"), text_at(dialect, "spec.desiredState"),
        text_at(dialect, "spec.desiredState"), condition(dialect, "Stalled", "status"),
        condition(dialect, "Ready", "status"), condition(dialect, "Ready", "status"));
}

// A column of another object of the same namespace.
std::string joined(std::string_view resource, std::string_view named_by,
                   std::string_view expression, std::string_view column) {
    return fmt::format(
        "(SELECT {} FROM objects r WHERE r.resource = '{}' AND r.ns = o.ns AND r.name = {}) AS {}",
        expression, resource, named_by, column);
}

std::string other_field(Dialect dialect, std::string_view path) {
    return dialect == Dialect::sqlite ? fmt::format("json_extract(r.body, '$.{}')", path)
                                      : fmt::format("r.body::jsonb #>> '{}'", postgres_path(path));
}

std::vector<std::string> workspace_columns(Dialect d) {
    return {workspace_status(d), condition(d, "Ready", "reason") + " AS status_reason",
            condition(d, "Ready", "message") + " AS status_message",
            joined("workspaces.atelier.dev", text_at(d, "spec.parent"), "r.uid", "parent_id")};
}

std::vector<std::string> plugin_columns(Dialect d) {
    return {joined("workspaces.atelier.dev", text_at(d, "spec.workspace"), "r.uid", "workspace_id"),
            joined("plugins.atelier.dev", text_at(d, "spec.plugin"), other_field(d, "spec.source"),
                   "source_raw"),
            joined("plugins.atelier.dev", text_at(d, "spec.plugin"), other_field(d, "spec.track"),
                   "tracked_ref"),
            condition(d, "Ready", "status") + " AS ready",
            condition(d, "Ready", "reason") + " AS ready_reason"};
}

std::vector<std::string> update_columns(Dialect d) {
    return {fmt::format("lower(coalesce({}, 'Pending')) AS status", text_at(d, "status.phase"))};
}

std::vector<View> all_views() {
    constexpr auto text = Form::text;
    constexpr auto integer = Form::integer;
    constexpr auto time = Form::time;
    return {
        {"workspaces",
         "workspaces.atelier.dev",
         {{"display_name", text, "spec.displayName"},
          {"role", text, "spec.role"},
          {"tier", integer, "spec.tier"},
          {"org", text, "spec.org"},
          {"org_key", text, "spec.key"},
          {"parent", text, "spec.parent"},
          {"runtime", text, "spec.runtime"},
          {"backend", text, "status.backend"},
          {"container", text, "status.container"},
          {"image", text, "spec.image"},
          {"image_digest", text, "status.imageDigest"},
          {"model", text, "spec.model"},
          {"url", text, "spec.url"},
          {"desired_state", text, "spec.desiredState"},
          {"workspace_dir", text, "spec.workspaceDir"},
          {"workspace_access", text, "spec.workspaceAccess"},
          {"max_concurrent_tasks", integer, "spec.maxConcurrentTasks"},
          {"update_tier", text, "spec.updateTier"},
          {"restarts", integer, "status.restarts"},
          {"started_at", time, "status.startedAt"}},
         workspace_columns(Dialect::sqlite),
         workspace_columns(Dialect::postgres)},
        {"workspace_plugins",
         "plugininstalls.atelier.dev",
         {{"workspace", text, "spec.workspace"},
          {"plugin_name", text, "spec.plugin"},
          {"desired_sha", text, "spec.version.commit"},
          {"desired_digest", text, "spec.version.digest"},
          {"installed_sha", text, "status.deliveredCommit"},
          {"installed_digest", text, "status.delivered"},
          {"loaded_digest", text, "status.loaded"},
          {"delivery", text, "status.delivery"},
          {"last_change", text, "status.lastChange"},
          {"installed_at", time, "status.deliveredAt"}},
         plugin_columns(Dialect::sqlite),
         plugin_columns(Dialect::postgres)},
        {"plugin_update_queue",
         "pluginupdates.atelier.dev",
         {{"plugin_name", text, "spec.plugin"},
          {"from_sha", text, "spec.from.commit"},
          {"from_digest", text, "spec.from.digest"},
          {"to_sha", text, "spec.to.commit"},
          {"to_digest", text, "spec.to.digest"},
          {"tracked_ref", text, "spec.to.ref"},
          {"alarm", text, "spec.alarm"},
          {"decision", text, "spec.decision"},
          {"decided_by", text, "spec.decidedBy"},
          {"change_class", text, "status.changeClass"},
          {"installs_total", integer, "status.total"},
          {"installs_updated", integer, "status.updated"},
          {"detected_at", time, "status.firstSeen"},
          {"decided_at", time, "status.decidedAt"},
          {"completed_at", time, "status.completedAt"}},
         update_columns(Dialect::sqlite),
         update_columns(Dialect::postgres)},
        {"structure_events",
         "events",
         {{"event_type", text, "reason"},
          {"severity", text, "type"},
          {"object_kind", text, "involvedObject.kind"},
          {"object_name", text, "involvedObject.name"},
          {"target_id", text, "involvedObject.uid"},
          {"message", text, "message"},
          {"count", integer, "count"},
          {"first_seen_at", time, "firstTimestamp"},
          {"last_seen_at", time, "lastTimestamp"}},
         {"o.j AS payload"},
         {"o.j AS payload"}},
    };
}

std::string definition(const View& view, Dialect dialect) {
    const bool is_sqlite = dialect == Dialect::sqlite;
    std::string columns = "o.uid AS id, o.ns AS namespace, o.name AS name, o.revision AS revision";
    for (const std::string& column : is_sqlite ? view.sqlite : view.postgres) {
        columns += ",\n  " + column;
    }
    const Field created{"created_at", Form::time, "metadata.creationTimestamp"};
    for (const Field& field : view.fields) {
        columns += ",\n  " + (is_sqlite ? sqlite_field(field) : postgres_field(field));
    }
    columns += ",\n  " + (is_sqlite ? sqlite_field(created) : postgres_field(created));
    // OFFSET 0 keeps PostgreSQL from parsing the body once for every column.
    return fmt::format(
        "CREATE VIEW {} AS SELECT {}\nFROM (SELECT uid, ns, name, revision, {} AS j FROM objects "
        "WHERE resource = '{}'{}) o",
        view.name, columns, is_sqlite ? "body" : "body::jsonb", view.resource,
        is_sqlite ? "" : " OFFSET 0");
}

}  // namespace

std::vector<std::string> views(Dialect dialect) {
    std::vector<std::string> out;
    for (const View& view : all_views()) {
        out.push_back(fmt::format("DROP VIEW IF EXISTS {}", view.name));
        out.push_back(definition(view, dialect));
    }
    return out;
}

}  // namespace atelier::store
