#include <ostream>

#include "base/text.h"
#include "cli/output/output.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

// One kind that the command line names.
struct Wanted {
    Resource resource;
    std::vector<std::string> names;  // empty: every object that matches the selectors
};

class Getter {
  public:
    Getter(Session& session, Client& client, Format format, std::string ns)
        : session_(session), client_(client), format_(std::move(format)), ns_(std::move(ns)) {}

    Result<std::vector<Wanted>> wanted() {
        const auto& words = session_.arguments.words;
        std::vector<Wanted> out;
        if (words[0].find('/') != std::string::npos) {
            for (auto& target : TRY(targets_of(session_, words))) {
                out.push_back({std::move(target.resource), {target.name}});
            }
            return out;
        }
        for (const std::string& text : split(words[0], ',')) {
            for (auto& resource : TRY(resolve_many(text))) {
                out.push_back({std::move(resource), {words.begin() + 1, words.end()}});
            }
        }
        return out;
    }

    // Prints the objects. A name that does not exist is reported on stderr; the others are still
    // printed.
    Result<int> show(const std::vector<Wanted>& all) {
        if (!format_.is_table()) return show_objects(all);
        int code = exit_code::fine;
        bool first = true;
        for (const Wanted& wanted : all) {
            ServerTable table = table_for(wanted, all.size() > 1);
            code = std::max(code, TRY(fill(wanted, table, nullptr)));
            if (table.empty()) continue;
            if (!first) session_.out() << "\n";
            first = false;
            session_.out() << table.take_text();
        }
        if (first && code == exit_code::fine) say_none();
        return code;
    }

    // Prints the objects, then each change, until the command is interrupted.
    Result<void> follow(const Wanted& wanted) {
        std::string revision;
        ServerTable table = table_for(wanted, false);
        if (format_.is_table()) {
            TRY(fill(wanted, table, &revision));
            print(table);
        } else {
            for (const auto& object :
                 TRY(client_.items(wanted.resource, ns_, selectors(wanted), &revision))) {
                print(object);
            }
        }
        const auto accept = format_.is_table() ? accept_table : "application/json";
        auto watch = TRY(client_.watch(wanted.resource, ns_, selectors(wanted), revision, accept));
        while (!session_.interrupted()) {
            auto event = watch->next(glance);
            if (!event && event.error().code == Code::gone) {
                watch = TRY(client_.watch(wanted.resource, ns_, selectors(wanted), "", accept));
                continue;
            }
            if (!event) return event.error();
            if (!*event) continue;
            if (format_.is_table()) {
                TRY(table.add((*event)->object));
                print(table);
            } else {
                print((*event)->object);
            }
        }
        return {};
    }

  private:
    Result<std::vector<Resource>> resolve_many(const std::string& text) {
        auto one = client_.resolve(text);
        if (one) return std::vector<Resource>{*std::move(one)};
        std::vector<Resource> out;
        for (auto& resource : TRY(client_.resources())) {
            for (const auto& category : resource.categories) {
                if (category == text) {
                    out.push_back(resource);
                    break;
                }
            }
        }
        if (out.empty()) return one.error();
        return out;
    }

    Query selectors(const Wanted& wanted) const {
        Query out;
        if (const auto text = session_.arguments.text("selector"); !text.empty()) {
            out.emplace_back("labelSelector", text);
        }
        std::string fields = session_.arguments.text("field-selector");
        if (wanted.names.size() == 1) {
            fields += (fields.empty() ? "" : ",") + ("metadata.name=" + wanted.names[0]);
        }
        if (!fields.empty()) out.emplace_back("fieldSelector", fields);
        return out;
    }

    ServerTable table_for(const Wanted& wanted, bool several_kinds) const {
        ServerTable::Options options;
        options.wide = format_.kind == Format::Kind::wide;
        options.with_namespace = ns_.empty() && wanted.resource.namespaced;
        if (several_kinds) options.name_prefix = wanted.resource.name_prefix() + "/";
        return ServerTable(options);
    }

    Result<int> fill(const Wanted& wanted, ServerTable& table, std::string* revision) {
        if (wanted.names.empty() || revision) {
            TRY(client_.list(
                wanted.resource, ns_, selectors(wanted), accept_table,
                [&](const json::Document& page) {
                    if (revision) {
                        *revision = json::string_at(page, {"metadata", "resourceVersion"});
                    }
                    return table.add(page);
                }));
            return exit_code::fine;
        }
        int code = exit_code::fine;
        for (const std::string& name : wanted.names) {
            const auto answer = client_.call(
                {"GET", wanted.resource.path(ns_, name), {}, std::string(accept_table)});
            if (answer) {
                TRY(table.add(*answer));
            } else if (answer.error().code == Code::not_found) {
                code = session_.fail(answer.error());
            } else {
                return answer.error();
            }
        }
        return code;
    }

    Result<int> show_objects(const std::vector<Wanted>& all) {
        int code = exit_code::fine;
        bool one = all.size() == 1 && all[0].names.size() == 1;
        json::Document list(rapidjson::kObjectType);
        auto& allocator = list.GetAllocator();
        json::set(list, "apiVersion", "v1", allocator);
        json::set(list, "kind", "List", allocator);
        json::Value items(rapidjson::kArrayType);
        const auto take = [&](const json::Value& object) {
            if (one || format_.kind == Format::Kind::name) {
                session_.out() << object_text(format_, object);
            } else {
                items.PushBack(json::Value(object, allocator), allocator);
            }
        };
        for (const Wanted& wanted : all) {
            if (wanted.names.empty()) {
                for (const auto& object :
                     TRY(client_.items(wanted.resource, ns_, selectors(wanted)))) {
                    take(object);
                }
            }
            for (const std::string& name : wanted.names) {
                const auto object = client_.get(wanted.resource, ns_, name);
                if (object) {
                    take(*object);
                } else if (object.error().code == Code::not_found) {
                    code = session_.fail(object.error());
                } else {
                    return object.error();
                }
            }
        }
        if (one || format_.kind == Format::Kind::name) return code;
        json::set(list, "items", std::move(items), allocator);
        session_.out() << object_text(format_, list);
        return code;
    }

    void print(ServerTable& table) {
        if (!table.empty()) session_.out() << table.take_text() << std::flush;
    }
    void print(const json::Value& object) {
        if (format_.kind == Format::Kind::yaml) session_.out() << "---\n";
        session_.out() << object_text(format_, object) << std::flush;
    }
    void say_none() {
        session_.err() << "No resources found"
                       << (ns_.empty() ? "." : " in the namespace " + printable(ns_) + ".") << "\n";
    }

    Session& session_;
    Client& client_;
    const Format format_;
    const std::string ns_;
};

}  // namespace

int run_get(Session& session) {
    if (session.arguments.words.empty()) return session.usage("name a kind: atelier get KIND");
    auto format = format_of(session.arguments.text("output"));
    if (!format) return session.usage(format.error().message);
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    Getter getter(session, **client, *std::move(format), *ns);
    const auto wanted = getter.wanted();
    if (!wanted) return session.fail(wanted.error());
    if (!session.arguments.on("watch")) {
        const auto code = getter.show(*wanted);
        return code ? *code : session.fail(code.error());
    }
    if (wanted->size() != 1 || wanted->front().names.size() > 1) {
        return session.usage("-w watches one kind, and one name or all of them");
    }
    if (const auto done = getter.follow(wanted->front()); !done) {
        if (done.error().code != Code::cancelled) return session.fail(done.error());
    }
    return session.interrupted_watching("atelier get " + join(session.arguments.words, " ") +
                                        " -w");
}

}  // namespace atelier::cli
