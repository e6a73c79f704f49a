// The definitions behind base/fields.h. Included by the few sources that read or write a struct of
// their own, or that instantiate all four functions for the rest of the program:
//
//     INSTANTIATE_FIELDS(Source);  // outside of every namespace
#pragma once

#include <string>
#include <utility>

#include "base/fields.h"
#include "base/json_members.h"

namespace atelier::json {

class FieldReader {
  public:
    explicit FieldReader(const Value& object) : object_(&object) {}

    template <class T>
    void operator()(std::string_view name, T& field) {
        if (error_) return;
        const Value* value = find(*object_, {name});
        if (!value || value->IsNull()) return;
        const std::size_t mark = path_.size();
        path_ += (path_.empty() ? "" : ".");
        path_ += name;
        read(*value, field);
        path_.resize(mark);
    }

    template <class T>
    void read(const Value& value, T& out) {
        if constexpr (std::is_same_v<T, bool>) {
            if (!value.IsBool()) return fail("a boolean");
            out = value.GetBool();
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
            if (!value.IsInt64()) return fail("an integer");
            out = value.GetInt64();
        } else if constexpr (std::is_same_v<T, double>) {
            if (!value.IsNumber()) return fail("a number");
            out = value.GetDouble();
        } else if constexpr (std::is_same_v<T, std::string>) {
            if (!value.IsString()) return fail("a string");
            out = view(value);
        } else if constexpr (std::is_same_v<T, Duration>) {
            read_text(value, out, parse_duration);
        } else if constexpr (std::is_same_v<T, Instant>) {
            read_text(value, out, parse_rfc3339);
        } else if constexpr (std::is_same_v<T, Document>) {
            out = copy(value);
        } else if constexpr (NamedEnum<T>) {
            if (!value.IsString()) return fail("a string");
            const auto known = value_of<T>(view(value));
            if (!known) return fail("one of " + texts<T>());
            out = *known;
        } else if constexpr (Described<T>) {
            if (!value.IsObject()) return fail("an object");
            const Value* outer = std::exchange(object_, &value);
            T::fields(out, *this);
            object_ = outer;
        } else {
            read_container(value, out);
        }
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    template <class T>
    void read_container(const Value& value, std::optional<T>& out) {
        T inner{};
        read(value, inner);
        if (!error_) out = std::move(inner);
    }
    template <class T>
    void read_container(const Value& value, std::vector<T>& out) {
        if (!value.IsArray()) return fail("a list");
        out.clear();
        const std::size_t mark = path_.size();
        for (rapidjson::SizeType i = 0; i < value.Size() && !error_; ++i) {
            path_ += "[" + std::to_string(i) + "]";
            T element{};
            read(value[i], element);
            out.push_back(std::move(element));
            path_.resize(mark);
        }
    }
    template <class T>
    void read_container(const Value& value, std::map<std::string, T>& out) {
        if (!value.IsObject()) return fail("an object");
        out.clear();
        const std::size_t mark = path_.size();
        for (const auto& m : value.GetObject()) {
            if (error_) return;
            path_ += "." + std::string(view(m.name));
            T element{};
            read(m.value, element);
            out.insert_or_assign(std::string(view(m.name)), std::move(element));
            path_.resize(mark);
        }
    }
    template <class T, class Parse>
    void read_text(const Value& value, T& out, Parse parse) {
        if (!value.IsString()) return fail("a string");
        auto parsed = parse(view(value));
        if (!parsed) {
            error_ = parsed.error().in(path_);
            return;
        }
        out = *parsed;
    }
    template <class E>
    static std::string texts() {
        std::string out;
        for (const auto& [e, name] : names_of(E{})) {
            out += (out.empty() ? "\"" : ", \"") + std::string(name) + "\"";
        }
        return out;
    }
    void fail(const std::string& wanted) {
        error_ = Error{Code::invalid, path_ + ": must be " + wanted};
    }

    const Value* object_;
    std::string path_;
    std::optional<Error> error_;
};

class FieldWriter {
  public:
    FieldWriter(Value& object, Allocator& allocator) : object_(&object), allocator_(allocator) {}

    template <class T>
    void operator()(std::string_view name, const T& field) {
        Value value;
        if (write(field, value)) {
            object_->AddMember(make(name, allocator_), std::move(value), allocator_);
        }
    }

    // False when the value is empty and is left out of an object.
    template <class T>
    bool write(const T& in, Value& out) {
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                      std::is_same_v<T, double>) {
            out = Value(in);
            return true;
        } else if constexpr (std::is_same_v<T, std::string>) {
            out = make(in, allocator_);
            return !in.empty();
        } else if constexpr (std::is_same_v<T, Duration>) {
            out = make(format_duration(in), allocator_);
            return true;
        } else if constexpr (std::is_same_v<T, Instant>) {
            out = make(rfc3339(in), allocator_);
            return true;
        } else if constexpr (std::is_same_v<T, Document>) {
            out.CopyFrom(in, allocator_);
            return !in.IsNull();
        } else if constexpr (NamedEnum<T>) {
            out = make(json::name_of(in), allocator_);
            return out.GetStringLength() > 0;
        } else if constexpr (Described<T>) {
            out.SetObject();
            Value* outer = std::exchange(object_, &out);
            T::fields(in, *this);
            object_ = outer;
            return out.MemberCount() > 0;
        } else {
            return write_container(in, out);
        }
    }

  private:
    template <class T>
    bool write_container(const std::optional<T>& in, Value& out) {
        if (!in) return false;
        write(*in, out);
        return true;
    }
    template <class T>
    bool write_container(const std::vector<T>& in, Value& out) {
        out.SetArray();
        for (const T& element : in) {
            Value value;
            write(element, value);
            out.PushBack(std::move(value), allocator_);
        }
        return !in.empty();
    }
    template <class T>
    bool write_container(const std::map<std::string, T>& in, Value& out) {
        out.SetObject();
        for (const auto& [name, element] : in) {
            Value value;
            write(element, value);
            out.AddMember(make(name, allocator_), std::move(value), allocator_);
        }
        return !in.empty();
    }

    Value* object_;
    Allocator& allocator_;
};

template <class T>
Result<T> read(const Value& value) {
    T out{};
    FieldReader reader(value);
    reader.read(value, out);
    if (reader.error()) return *reader.error();
    return out;
}

template <class T>
Value write(const T& in, Allocator& allocator) {
    Value out;
    Value scratch(rapidjson::kObjectType);
    FieldWriter writer(scratch, allocator);
    writer.write(in, out);
    return out;
}

template <class T>
Document document_of(const T& in) {
    Document document;
    static_cast<Value&>(document) = write(in, document.GetAllocator());
    return document;
}

template <class T>
bool same(const T& a, const T& b) {
    return equal(document_of(a), document_of(b));
}

}  // namespace atelier::json

#define INSTANTIATE_FIELDS(type)                                                       \
    template atelier::Result<type> atelier::json::read<type>(const Value&);            \
    template atelier::json::Value atelier::json::write<type>(const type&, Allocator&); \
    template atelier::json::Document atelier::json::document_of<type>(const type&);    \
    template bool atelier::json::same<type>(const type&, const type&)
