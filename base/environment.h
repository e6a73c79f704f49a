// The process environment as a value, so that nothing below cmd/ reads the real one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace atelier {

class Environment {
  public:
    Environment() = default;
    explicit Environment(std::map<std::string, std::string, std::less<>> values)
        : values_(std::move(values)) {}
    static Environment of_process();

    std::optional<std::string> find(std::string_view name) const {
        const auto it = values_.find(name);
        if (it == values_.end()) return std::nullopt;
        return it->second;
    }
    std::string get(std::string_view name, std::string_view otherwise = {}) const {
        return find(name).value_or(std::string(otherwise));
    }
    const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace atelier
