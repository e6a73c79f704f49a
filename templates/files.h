// The files that a template is made of, by paths relative to its root: a tree from git
// (tree_files.h), a folder of the server (directory_files.h), or the text of org.yaml alone. Used
// by one thread at a time.
//
// Symbolic links: a link in a tree from git is followed as long as it stays inside the tree. In a
// folder the operator's layout is trusted: a linked folder is followed wherever it leads, so that a
// template can be composed of sibling checkouts; only a link *below* a folder that is being
// delivered must stay inside that folder or inside the boundary. A link under another name to a
// `.env` file is always Code::forbidden: its values are secret.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::templates {

struct FileLimits {
    std::int64_t file_bytes = 1 << 20;
    std::int64_t folder_bytes = 64 << 20;
    std::int64_t folder_files = 1990;    // a Workspace holds 2000, some of which Atelier writes
    std::string_view what = "template";  // what a link must not lead out of, in messages
};

inline constexpr int most_folders =
    5000;  // that one call of folder() walks, loops of links among them

class TemplateFiles {
  public:
    virtual ~TemplateFiles() = default;
    // Errors: not_found, too_large, forbidden (a link leads out, or the file may not be read),
    // invalid (not a regular file), unsupported (this template has no files).
    virtual Result<std::string> read(const std::string& path) = 0;
    // The regular files below a folder by path relative to it, with links resolved and without
    // `.git`. The folder itself may be a link.
    virtual Result<drivers::Tree> folder(const std::string& path) = 0;
};

// Only org.yaml, with that text.
std::unique_ptr<TemplateFiles> files_of_text(std::string text);

bool is_env_file(std::string_view path);  // "a/.env"
Error refused_env_file();

// As read(), for a file whose text will be shown: Code::forbidden for a `.env` file.
Result<std::string> read_visible(TemplateFiles& files, const std::string& path);

// `path` as named by a file in `folder` (both relative to the root, '/' between), without "." and
// "..": Code::forbidden when it is absolute or leads above the root, Code::invalid when empty.
Result<std::string> resolve_path(std::string_view folder, std::string_view path);

}  // namespace atelier::templates
