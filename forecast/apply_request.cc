#include "forecast/apply_request.h"

#include <fmt/format.h>

#include "forecast/workspace_reasons.h"

namespace atelier::forecast {
namespace {

using crds::Org;

class RequestApplier {
  public:
    explicit RequestApplier(ForecastContext& context) : context_(context) {}

    Result<AppliedRequest> apply() {
        TRY(put_proposed());
        TRY(add_orgs());
        return std::move(out_);
    }

  private:
    Result<void> put_proposed() {
        if (!context_.request.ns.empty() &&
            !context_.overlay.get({"namespaces", "", context_.request.ns})) {
            return Error{Code::not_found,
                         fmt::format("there is no namespace \"{}\"", context_.request.ns)};
        }
        context_.result.proposed = TRY(proposed_objects_of(
            context_.request.objects, context_.request.ns, context_.dependencies.kinds));
        for (const ProposedObject& proposed : context_.result.proposed) {
            const auto old = context_.overlay.get(proposed.key);
            if (old && old->meta.deleted_at) {
                context_.block({proposed.kind->kind + " " + proposed.key.name, "BeingDeleted",
                                "it is being deleted: what is applied to it goes with it", ""});
            }
            TRY(put(context_.overlay, proposed, old ? old->revision : 0,
                    context_.dependencies.random, context_.now));
            context_.require_unchanged(proposed.key);
            add_item(proposed, old, context_.overlay.get(proposed.key));
            if (proposed.key.resource == crds::OrgSpec::resource ||
                proposed.key.resource == crds::OrgTemplateSpec::resource) {
                out_.due.insert(proposed.key);
            }
        }
        return {};
    }

    // Workspaces get their items later, when their units are compared.
    void add_item(const ProposedObject& proposed, const store::ObjectPtr& old,
                  const store::ObjectPtr& next) {
        if (proposed.key.resource == crds::WorkspaceSpec::resource) return;
        if (!next || (old && desired_state_of(*old) == desired_state_of(*next))) return;
        Item item;
        item.kind = proposed.kind->kind;
        item.name = proposed.key.name;
        item.action = old ? Step::configure : Step::create;
        if (holds_values(proposed.key.resource)) {
            item.reasons =
                differences(values_of(old), values_of(next), context_.dependencies.fingerprint_key);
        } else if (old) {
            const auto was = json::parse(old->body);
            const auto is = json::parse(next->body);
            const json::Value none;
            const json::Value* a = was ? json::find(*was, {"spec"}) : nullptr;
            const json::Value* b = is ? json::find(*is, {"spec"}) : nullptr;
            for (const std::string& name : changed_members(a ? *a : none, b ? *b : none)) {
                item.reasons.push_back("spec." + name);
            }
            if (item.reasons.empty()) item.reasons.emplace_back("metadata");
        }
        context_.result.forecast.items.push_back(std::move(item));
    }

    Result<void> add_orgs() {
        if (!context_.request.org.empty()) {
            const Key key{std::string(crds::OrgSpec::resource), context_.request.ns,
                          context_.request.org};
            if (!context_.overlay.get(key)) {
                return Error{Code::not_found,
                             fmt::format("there is no Org \"{}\"", context_.request.org)};
            }
            out_.due.insert(key);
        }
        TRY(unbind_orgs());
        const std::set<Key> requested = out_.due;
        for (const Key& key : requested) {
            if (key.resource != crds::OrgSpec::resource) continue;
            auto org = TRY(context_.after.find<Org>(key.ns, key.name));
            if (!org) continue;
            context_.require_unchanged(key);
            out_.due.insert({std::string(crds::OrgTemplateSpec::resource), key.ns,
                             org->spec.template_ref.name});
            if (!org->spec.suspend) continue;
            // The forecast says what would happen once it is resumed.
            org->spec.suspend = false;
            TRY(context_.after.update(*org, context_.now));
            out_.suspended.insert(key.name);
            context_.block_suspended(key.name);
        }
        return {};
    }

    // An Org that is bound to an earlier forecast would stay as it is; this forecast replaces that.
    Result<void> unbind_orgs() {
        const auto all = context_.overlay.list(crds::OrgSpec::resource);
        for (const auto& object : all->objects) {
            if (!reconcilers::org::is_bound(object->meta)) continue;
            auto org = TRY(context_.after.find<Org>(object->key.ns, object->key.name));
            if (!org) continue;
            if (object->key.ns == context_.request.ns)
                out_.bound[object->key.name] = reconcilers::org::binding_of(org->meta);
            reconcilers::org::unbind(org->meta);
            TRY(context_.after.update(*org, context_.now));
        }
        return {};
    }

    ForecastContext& context_;
    AppliedRequest out_;
};

}  // namespace

Result<AppliedRequest> apply_request(ForecastContext& context) {
    return RequestApplier(context).apply();
}

}  // namespace atelier::forecast
