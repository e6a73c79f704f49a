#include "apiserver/request/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_text.h"

namespace atelier::apiserver {

std::string encode_page(const Page& page) {
    std::string out = base64(fmt::format(R"({{"v":"meta.k8s.io/v1","rv":{},"ns":{},"name":{}}})",
                                         page.revision, quoted(page.ns), quoted(page.name)));
    std::replace(out.begin(), out.end(), '+', '-');
    std::replace(out.begin(), out.end(), '/', '_');
    while (!out.empty() && out.back() == '=') out.pop_back();
    return out;
}

Result<Page> decode_page(std::string_view token) {
    const Error bad{Code::invalid, "continue key is not valid"};
    std::string padded(token);
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    while (padded.size() % 4 != 0) padded += '=';
    std::string text;
    if (!base64_decode(padded, text)) return bad;
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->IsObject()) return bad;
    const json::Value* revision = json::find(*parsed, {"rv"});
    if (!revision || !revision->IsInt64() || revision->GetInt64() == 0) return bad;
    Page page{revision->GetInt64(), json::string_at(*parsed, {"ns"}),
              json::string_at(*parsed, {"name"})};
    if (page.name.empty()) return bad;
    return page;
}

}  // namespace atelier::apiserver
