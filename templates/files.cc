#include "templates/files.h"

#include <vector>

#include "base/text.h"

namespace atelier::templates {
namespace {

class TextFiles final : public TemplateFiles {
  public:
    explicit TextFiles(std::string text) : text_(std::move(text)) {}

    Result<std::string> read(const std::string& path) override {
        if (path == "org.yaml") return text_;
        return no_files();
    }
    Result<drivers::Tree> folder(const std::string& /*path*/) override { return no_files(); }

  private:
    static Error no_files() {
        return {Code::unsupported,
                "an inline template has no files: write the text in place, or use "
                "a git or directory source"};
    }
    std::string text_;
};

}  // namespace

std::unique_ptr<TemplateFiles> files_of_text(std::string text) {
    return std::make_unique<TextFiles>(std::move(text));
}

bool is_env_file(std::string_view path) {
    return path == ".env" || path.ends_with("/.env");
}

Error refused_env_file() {
    return {Code::forbidden,
            "it is a .env file, which holds secrets: its values become environment, and nothing "
            "else may read it"};
}

Result<std::string> read_visible(TemplateFiles& files, const std::string& path) {
    if (is_env_file(path)) return refused_env_file();
    return files.read(path);
}

Result<std::string> resolve_path(std::string_view folder, std::string_view path) {
    if (trim(path).empty()) return Error{Code::invalid, "the path is empty"};
    if (path.find('\0') != std::string_view::npos) {
        return Error{Code::invalid, "the path has a NUL character"};
    }
    if (path.front() == '/') {
        return Error{Code::forbidden, "the path is absolute: it must be inside the template"};
    }
    std::vector<std::string> parts;
    for (const std::string_view from : {folder, path}) {
        for (std::string& part : split(from, '/')) {
            if (part.empty() || part == ".") continue;
            if (part != "..") {
                parts.push_back(std::move(part));
            } else if (parts.empty()) {
                return Error{Code::forbidden, "the path leads out of the template"};
            } else {
                parts.pop_back();
            }
        }
    }
    return join(parts, "/");
}

}  // namespace atelier::templates
