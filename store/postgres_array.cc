#include "store/postgres_array.h"

#include "base/digest.h"

namespace atelier::store {

void ArrayLiteral::next() {
    if (out_.size() > 1) out_ += ',';
}

void ArrayLiteral::add(std::string_view text) {
    next();
    out_.reserve(out_.size() + text.size() + text.size() / 8 + 2);
    out_ += '"';
    while (true) {
        const std::size_t plain = text.find_first_of("\"\\");
        out_.append(text.substr(0, plain));
        if (plain == std::string_view::npos) break;
        out_ += '\\';
        out_ += text[plain];
        text.remove_prefix(plain + 1);
    }
    out_ += '"';
}

void ArrayLiteral::add(std::int64_t number) {
    next();
    out_ += std::to_string(number);
}

void ArrayLiteral::add_bytes(std::string_view bytes) {
    next();
    out_ += "\"\\\\x" + to_hex(bytes) + '"';
}

void ArrayLiteral::add_null() {
    next();
    out_ += "NULL";
}

std::string ArrayLiteral::take() && {
    out_ += '}';
    return std::move(out_);
}

}  // namespace atelier::store
