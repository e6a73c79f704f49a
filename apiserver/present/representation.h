// An object or an event in the form that a client asked for. One place for one object, a list's
// element and a watch's line.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "apiserver/http/http.h"
#include "apiserver/present/accept.h"
#include "apiserver/present/failure.h"
#include "apiserver/present/table.h"

namespace atelier::apiserver {

struct View {
    Representation as;
    RowObject rows = RowObject::metadata;  // with tables
    auto operator<=>(const View&) const = default;
};

enum class EventType { added, modified, deleted };

// Thread-safe.
class Presenter {
  public:
    Presenter(const Catalog& catalog, const Clock& clock);

    // The body of an answer with one object. As it is, its own bytes are shared.
    Frame one(const crds::Kind& kind, const store::ObjectPtr& object, const View& view);
    // One element of a list's "items" or a table's "rows".
    void append_element(std::string& out, const crds::Kind& kind, const store::Object& object,
                        const View& view, Instant now);
    // What stands before the elements; metadata is the list's, as JSON. tail(): after them.
    std::string head(const crds::Kind& kind, const View& view, std::string_view metadata);
    static std::string_view tail() { return "]}\n"; }

    // One line of a watch. `with_columns`: the first of a table.
    void append_event(std::string& out, EventType type, const crds::Kind& kind,
                      const store::Object& object, const View& view, bool with_columns);
    // What stands before and after an object in a line of Form::object.
    static std::string_view event_head(EventType type);
    static std::string_view event_tail() { return "}\n"; }
    Frame bookmark(const crds::Kind& kind, Revision revision, const View& view, bool initial_end);
    static Frame error(const Failure& failure);

    Instant now() const { return clock_.now(); }

  private:
    Table& table(const crds::Kind& kind);
    const Clock& clock_;
    std::unordered_map<const crds::Kind*, std::unique_ptr<Table>> tables_;  // never changes
};

// `object` with another revision in its body: the last state of one that left a selection.
store::ObjectPtr at_revision(const store::Object& object, Revision revision);

}  // namespace atelier::apiserver
