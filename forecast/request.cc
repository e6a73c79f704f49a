#include "forecast/request.h"

#include <fmt/format.h>

#include "forecast/workspace_reasons.h"

namespace atelier::forecast {
namespace {

using crds::Org;

class Asking {
  public:
    explicit Asking(ForecastContext& context) : context_(context) {}

    Result<Request> ask() {
        TRY(put_candidates());
        TRY(seed_asked());
        return std::move(out_);
    }

  private:
    Result<void> put_candidates() {
        if (!context_.question.ns.empty() &&
            !context_.overlay.get({"namespaces", "", context_.question.ns})) {
            return Error{Code::not_found,
                         fmt::format("there is no namespace \"{}\"", context_.question.ns)};
        }
        context_.answer.proposed = TRY(proposed_objects_of(
            context_.question.objects, context_.question.ns, context_.tools.kinds));
        for (const ProposedObject& proposed : context_.answer.proposed) {
            const auto old = context_.overlay.get(proposed.key);
            if (old && old->meta.deleted_at) {
                context_.block({proposed.kind->kind + " " + proposed.key.name, "BeingDeleted",
                                "it is being deleted: what is applied to it goes with it", ""});
            }
            TRY(put(context_.overlay, proposed, old ? old->revision : 0, context_.tools.random,
                    context_.now));
            context_.note_base(proposed.key);
            add_item(proposed, old, context_.overlay.get(proposed.key));
            if (proposed.key.resource == crds::OrgSpec::resource ||
                proposed.key.resource == crds::OrgTemplateSpec::resource) {
                out_.due.insert(proposed.key);
            }
        }
        return {};
    }

    // An object that is no workspace, as it was and as it would be.
    void add_item(const ProposedObject& proposed, const store::ObjectPtr& old,
                  const store::ObjectPtr& next) {
        if (proposed.key.resource == crds::WorkspaceSpec::resource) return;
        if (!next || (old && essence(*old) == essence(*next))) return;
        Item item;
        item.kind = proposed.kind->kind;
        item.name = proposed.key.name;
        item.action = old ? Step::configure : Step::create;
        if (holds_values(proposed.key.resource)) {
            item.reasons =
                differences(values_of(old), values_of(next), context_.tools.fingerprint_key);
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
        context_.answer.forecast.items.push_back(std::move(item));
    }

    Result<void> seed_asked() {
        if (!context_.question.org.empty()) {
            const Key key{std::string(crds::OrgSpec::resource), context_.question.ns,
                          context_.question.org};
            if (!context_.overlay.get(key)) {
                return Error{Code::not_found,
                             fmt::format("there is no Org \"{}\"", context_.question.org)};
            }
            out_.due.insert(key);
        }
        TRY(forget_plans());
        const std::set<Key> request = out_.due;
        for (const Key& key : request) {
            if (key.resource != crds::OrgSpec::resource) continue;
            auto org = TRY(context_.after.find<Org>(key.ns, key.name));
            if (!org) continue;
            context_.note_base(key);
            out_.due.insert({std::string(crds::OrgTemplateSpec::resource), key.ns,
                             org->spec.template_ref.name});
            if (!org->spec.suspend) continue;
            // What would happen once it is resumed.
            org->spec.suspend = false;
            TRY(context_.after.update(*org, context_.now));
            out_.suspended.insert(key.name);
            context_.add_suspended(key.name);
        }
        return {};
    }

    // An Org that is bound to an earlier plan would stay as it is; a new one takes its place.
    Result<void> forget_plans() {
        const auto all = context_.overlay.list(crds::OrgSpec::resource);
        for (const auto& object : all->objects) {
            if (!reconcilers::is_bound(object->meta)) continue;
            auto org = TRY(context_.after.find<Org>(object->key.ns, object->key.name));
            if (!org) continue;
            if (object->key.ns == context_.question.ns)
                out_.bound[object->key.name] = reconcilers::bond_of(org->meta);
            reconcilers::release_bond(org->meta);
            TRY(context_.after.update(*org, context_.now));
        }
        return {};
    }

    ForecastContext& context_;
    Request out_;
};

}  // namespace

Result<Request> apply_request(ForecastContext& context) {
    return Asking(context).ask();
}

}  // namespace atelier::forecast
