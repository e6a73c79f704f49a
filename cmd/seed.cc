#include "cmd/seed.h"

#include <array>
#include <utility>

#include "crds/update_tier.h"

namespace atelier::cmd {

Result<void> seed(reconcilers::Objects& objects, apiserver::Api& api, Instant now) {
    TRY(api.seed());
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 2> tiers{
        {{"canary", 0}, {"production", 100}}};
    for (const auto& [name, order] : tiers) {
        if (TRY(objects.find<crds::UpdateTier>("", std::string(name)))) continue;
        crds::Meta meta;
        meta.name = name;
        crds::UpdateTierSpec spec;
        spec.order = order;
        const auto made = objects.create<crds::UpdateTier>(meta, spec, now);
        if (!made && made.error().code != Code::already_exists) return made.error();
    }
    return {};
}

}  // namespace atelier::cmd
