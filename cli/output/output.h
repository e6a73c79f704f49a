// Objects as text: the formats of -o.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/client/client.h"
#include "cli/output/text_table.h"
#include "crds/json_path.h"

namespace atelier::cli {

struct Format {
    enum class Kind { table, wide, yaml, json, name, json_path };
    Kind kind = Kind::table;
    crds::JsonPath path;

    bool is_table() const { return kind == Kind::table || kind == Kind::wide; }
};
Result<Format> format_of(std::string_view text);

// One object in any format but the tables.
std::string object_text(const Format& format, const json::Value& object);

// The server's Tables of one kind as text.
class ServerTable {
  public:
    struct Options {
        bool wide = false;
        bool with_namespace = false;
        std::string name_prefix = {};  // before the name: "workspace.atelier.dev/"
    };
    explicit ServerTable(Options options) : options_(std::move(options)) {}

    // Adds the rows of one page. Code::internal when `table` is no Table.
    Result<void> add(const json::Value& table);
    // The rows added since the last call; the first time under a header.
    std::string take_text();
    bool empty() const { return !table_ || table_->empty(); }

  private:
    void add_row(const json::Value& row);

    const Options options_;
    std::vector<rapidjson::SizeType> shown_;  // indexes of the columns
    std::size_t name_column_ = 0;
    std::unique_ptr<TextTable> table_;
    bool header_printed_ = false;
};

// Whether the locale (LC_ALL, LC_CTYPE, LANG) is a UTF-8 one.
bool speaks_unicode(const Environment& environment);

std::string upper(std::string_view text);  // ASCII
// A value for a cell of a table: a string as it is, null as "<none>", anything else as JSON.
std::string cell_text(const json::Value* value);

}  // namespace atelier::cli
