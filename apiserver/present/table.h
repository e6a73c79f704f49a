// Tables: what `kubectl get` prints. Cells are made here, so that a client needs to know nothing of
// the kind.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "apiserver/resources/catalog.h"
#include "base/clock.h"

namespace atelier::apiserver {

enum class RowObject { metadata, object, none };

// One cell: JSON text, or a time that is shown as an age when the table is written.
struct Cell {
    std::string json = "null";
    std::optional<Instant> since = {};
};

struct TableColumn {
    crds::Column column;
    std::function<Cell(const json::Value& object)> cell;
};

// The columns of a kind, the name included.
std::vector<TableColumn> table_columns(const crds::Kind& kind);

// The table of one kind. Thread-safe; rows are kept, so that each is made once.
class Table {
  public:
    explicit Table(const crds::Kind& kind);

    // A JSON list.
    const std::string& column_definitions() const { return column_definitions_; }
    // One element of "rows". `version` is of meta.k8s.io.
    void append_row(std::string& out, const store::Object& object, RowObject include,
                    std::string_view version, Instant now);

  private:
    struct Row {
        std::vector<Cell> cells;
    };
    // The hash alone is no key: a client that chooses bodies could find two with one hash, and show
    // one object's row as another's.
    struct RowKey {
        Key object;
        Revision revision = 0;
        std::size_t body_hash = 0;  // one revision may show two states
        bool operator==(const RowKey&) const = default;
    };
    struct HashOfRow {
        std::size_t operator()(const RowKey& key) const { return key.body_hash; }
    };
    std::shared_ptr<const Row> row(const store::Object& object);

    std::vector<TableColumn> columns_;
    std::string column_definitions_;
    std::mutex mutex_;
    std::unordered_map<RowKey, std::shared_ptr<const Row>, HashOfRow> rows_;  // under mutex_
};

// {"kind":"PartialObjectMetadata",...} of an object, with its metadata as stored.
void append_partial(std::string& out, const store::Object& object, std::string_view version);

}  // namespace atelier::apiserver
