#include "reconcilers/preview/asked.h"

#include <fmt/format.h>

#include "reconcilers/preview/workspace_reasons.h"

namespace atelier::reconcilers::preview {
namespace {

using crds::Org;

class Asking {
  public:
    explicit Asking(Scene& scene) : scene_(scene) {}

    Result<Asked> ask() {
        TRY(put_candidates());
        TRY(seed_asked());
        return std::move(out_);
    }

  private:
    Result<void> put_candidates() {
        if (!scene_.question.ns.empty() &&
            !scene_.overlay.get({"namespaces", "", scene_.question.ns})) {
            return Error{Code::not_found,
                         fmt::format("there is no namespace \"{}\"", scene_.question.ns)};
        }
        scene_.answer.candidates =
            TRY(candidates_of(scene_.question.objects, scene_.question.ns, scene_.tools.kinds));
        for (const Candidate& candidate : scene_.answer.candidates) {
            const auto old = scene_.overlay.get(candidate.key);
            if (old && old->meta.deleted_at) {
                scene_.block({candidate.kind->kind + " " + candidate.key.name, "BeingDeleted",
                              "it is being deleted: what is applied to it goes with it", ""});
            }
            TRY(put(scene_.overlay, candidate, old ? old->revision : 0, scene_.tools.random,
                    scene_.now));
            scene_.note_base(candidate.key);
            add_item(candidate, old, scene_.overlay.get(candidate.key));
            if (candidate.key.resource == crds::OrgSpec::resource ||
                candidate.key.resource == crds::OrgTemplateSpec::resource) {
                out_.due.insert(candidate.key);
            }
        }
        return {};
    }

    // An object that is no workspace, as it was and as it would be.
    void add_item(const Candidate& candidate, const store::ObjectPtr& old,
                  const store::ObjectPtr& next) {
        if (candidate.key.resource == crds::WorkspaceSpec::resource) return;
        if (!next || (old && essence(*old) == essence(*next))) return;
        Item item;
        item.kind = candidate.kind->kind;
        item.name = candidate.key.name;
        item.action = old ? Step::configure : Step::create;
        if (holds_values(candidate.key.resource)) {
            item.reasons =
                differences(values_of(old), values_of(next), scene_.tools.fingerprint_key);
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
        scene_.answer.forecast.items.push_back(std::move(item));
    }

    Result<void> seed_asked() {
        if (!scene_.question.org.empty()) {
            const Key key{std::string(crds::OrgSpec::resource), scene_.question.ns,
                          scene_.question.org};
            if (!scene_.overlay.get(key)) {
                return Error{Code::not_found,
                             fmt::format("there is no Org \"{}\"", scene_.question.org)};
            }
            out_.due.insert(key);
        }
        TRY(forget_plans());
        const std::set<Key> asked = out_.due;
        for (const Key& key : asked) {
            if (key.resource != crds::OrgSpec::resource) continue;
            auto org = TRY(scene_.after.find<Org>(key.ns, key.name));
            if (!org) continue;
            scene_.note_base(key);
            out_.due.insert({std::string(crds::OrgTemplateSpec::resource), key.ns,
                             org->spec.template_ref.name});
            if (!org->spec.suspend) continue;
            // What would happen once it is resumed.
            org->spec.suspend = false;
            TRY(scene_.after.update(*org, scene_.now));
            out_.suspended.insert(key.name);
            scene_.tell_suspended(key.name);
        }
        return {};
    }

    // An Org that is bound to an earlier plan would stay as it is; a new one takes its place.
    Result<void> forget_plans() {
        const auto all = scene_.overlay.list(crds::OrgSpec::resource);
        for (const auto& object : all->objects) {
            if (!is_bound(object->meta)) continue;
            auto org = TRY(scene_.after.find<Org>(object->key.ns, object->key.name));
            if (!org) continue;
            if (object->key.ns == scene_.question.ns)
                out_.bound[object->key.name] = bond_of(org->meta);
            release_bond(org->meta);
            TRY(scene_.after.update(*org, scene_.now));
        }
        return {};
    }

    Scene& scene_;
    Asked out_;
};

}  // namespace

Result<Asked> put_question(Scene& scene) {
    return Asking(scene).ask();
}

}  // namespace atelier::reconcilers::preview
