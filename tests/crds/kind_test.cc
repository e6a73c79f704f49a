#include "crds/kind.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "crds/deleted_workspace.h"
#include "crds/json_path.h"
#include "crds/org.h"
#include "crds/org_template.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "crds/plugin_policy.h"
#include "crds/plugin_update.h"
#include "crds/update_tier.h"
#include "crds/workspace.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

const Kinds& every_kind() {
    static const Kinds kinds = [] {
        auto made = atelier_kinds();
        EXPECT_TRUE(made) << made.error().message;
        add_core_kinds(*made);
        return *std::move(made);
    }();
    return kinds;
}

TEST(Kinds, AreFound) {
    const Kinds& kinds = every_kind();
    EXPECT_EQ(kinds.all().size(), 15u);
    const Kind* workspaces = kinds.find("workspaces.atelier.dev");
    ASSERT_NE(workspaces, nullptr);
    EXPECT_EQ(workspaces->kind, "Workspace");
    EXPECT_EQ(workspaces->list_kind, "WorkspaceList");
    EXPECT_EQ(workspaces->short_names, std::vector<std::string>{"ws"});
    EXPECT_EQ(workspaces->categories, (std::vector<std::string>{"all", "atelier"}));
    EXPECT_TRUE(workspaces->status_subresource);
    EXPECT_FALSE(workspaces->strategic_merge);
    EXPECT_EQ(kinds.find("atelier.dev", "v1alpha1", "workspaces"), workspaces);
    EXPECT_EQ(kinds.find_kind("atelier.dev/v1alpha1", "Workspace"), workspaces);
    EXPECT_EQ(kinds.find("workspaces"), nullptr);
    EXPECT_EQ(kinds.find("atelier.dev", "v1", "workspaces"), nullptr);
    ASSERT_NE(kinds.find("updatetiers.atelier.dev"), nullptr);
    EXPECT_EQ(kinds.find("updatetiers.atelier.dev")->scope, Scope::cluster);
    const Kind* secrets = kinds.find("secrets");
    ASSERT_NE(secrets, nullptr);
    EXPECT_EQ(secrets->api_version(), "v1");
    EXPECT_TRUE(secrets->strategic_merge);
    ASSERT_NE(kinds.find("leases.coordination.k8s.io"), nullptr);
    EXPECT_EQ(kinds.find("coordination.k8s.io", "v1", "leases")->kind, "Lease");
}

TEST(Kinds, ShortNamesAreUnique) {
    std::set<std::string> names;
    for (const auto& kind : every_kind().all()) {
        for (const std::string& name : kind->short_names)
            EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_TRUE(names.insert(kind->plural).second) << kind->plural;
        EXPECT_TRUE(names.insert(kind->singular).second) << kind->singular;
    }
}

TEST(Kinds, TablesShowMoreThanAnAge) {
    for (const auto& kind : every_kind().all()) {
        EXPECT_GE(kind->columns.size(), kind->strategic_merge ? 2u : 5u) << kind->plural;
        EXPECT_EQ(kind->columns.back().name == "Age" || kind->plural == "events", true)
            << kind->plural;
        for (const Column& column : kind->columns) {
            EXPECT_TRUE(JsonPath::compile(column.json_path)) << column.json_path;
            EXPECT_FALSE(column.description.empty()) << kind->plural << " " << column.name;
        }
    }
}

void every_field_is_described(const json::Value& schema, const std::string& path) {
    const std::string description = json::string_at(schema, {"description"});
    EXPECT_FALSE(description.empty()) << path << " has no description";
    if (const json::Value* properties = json::find(schema, {"properties"})) {
        for (const auto& m : properties->GetObject()) {
            // A structural schema says nothing of metadata: a real kube-apiserver describes it.
            if (json::view(m.name) == "metadata" && path.find('.') == path.npos) continue;
            every_field_is_described(m.value, path + "." + std::string(json::view(m.name)));
        }
    }
    const json::Value* items = json::find(schema, {"items"});
    if (items && json::find(*items, {"properties"})) {
        every_field_is_described(*items, path + "[]");
    }
}

TEST(Kinds, ExplainHasWordsForEveryField) {
    for (const auto& kind : every_kind().all()) {
        every_field_is_described(kind->schema->source(), kind->kind);
    }
}

// Lists the fields of a typed form as paths: "spec.files[].path", "spec.parameters.*".
class FieldNames {
  public:
    template <class T>
    void operator()(std::string_view name, T& field) {
        const std::size_t mark = path_.size();
        path_ += "." + std::string(name);
        visit(field);
        path_.resize(mark);
    }
    template <class T>
    void visit(T& field) {
        if constexpr (requires { T::fields(field, *this); }) {
            note();
            T::fields(field, *this);
        } else {
            leaf(field);
        }
    }
    std::set<std::string> names;

  private:
    void note() {
        if (!path_.empty()) names.insert(path_.substr(1));
    }
    template <class T>
    void leaf(T&) {
        note();
    }
    template <class T>
    void leaf(std::optional<T>&) {
        T inner{};
        visit(inner);
    }
    template <class T>
    void leaf(std::vector<T>&) {
        note();
        inside("[]", T{});
    }
    template <class T>
    void leaf(std::map<std::string, T>&) {
        note();
        inside(".*", T{});
    }
    template <class T>
    void inside(std::string_view suffix, T inner) {
        const std::size_t mark = path_.size();
        path_ += suffix;
        visit(inner);
        path_.resize(mark);
    }
    std::string path_;
};

void schema_names(const json::Value& schema, const std::string& path,
                  std::set<std::string>& names) {
    if (!path.empty()) names.insert(path.substr(1));
    if (const json::Value* properties = json::find(schema, {"properties"})) {
        for (const auto& m : properties->GetObject()) {
            schema_names(m.value, path + "." + std::string(json::view(m.name)), names);
        }
    }
    if (const json::Value* items = json::find(schema, {"items"})) {
        schema_names(*items, path + "[]", names);
    }
    if (const json::Value* more = json::find(schema, {"additionalProperties"})) {
        schema_names(*more, path + ".*", names);
    }
}

template <class T>
void expect_same_fields(const Kinds& kinds) {
    const Kind* kind = kinds.find(T::Spec::resource);
    ASSERT_NE(kind, nullptr) << T::Spec::resource;
    EXPECT_EQ(kind->kind, T::Spec::kind);
    for (const bool spec : {true, false}) {
        FieldNames typed;
        typename T::Spec s;
        typename T::Status st;
        spec ? typed.visit(s) : typed.visit(st);
        std::set<std::string> described;
        schema_names(*json::find(kind->schema->source(), {"properties", spec ? "spec" : "status"}),
                     "", described);
        // What is kept as it was has no schema of its own here.
        if (T::Spec::kind == DeletedWorkspaceSpec::kind && spec) {
            std::erase_if(typed.names,
                          [](const std::string& name) { return name.starts_with("spec."); });
        }
        EXPECT_EQ(typed.names, described) << T::Spec::kind << (spec ? " spec" : " status");
    }
}

TEST(Kinds, TypedFormsAndSchemasHaveTheSameFields) {
    const Kinds& kinds = every_kind();
    expect_same_fields<OrgTemplate>(kinds);
    expect_same_fields<Org>(kinds);
    expect_same_fields<Workspace>(kinds);
    expect_same_fields<Plugin>(kinds);
    expect_same_fields<PluginInstall>(kinds);
    expect_same_fields<PluginUpdate>(kinds);
    expect_same_fields<DeletedWorkspace>(kinds);
    expect_same_fields<UpdateTier>(kinds);
    expect_same_fields<PluginPolicy>(kinds);
}

TEST(Kinds, EmbeddedFilesAreTheFilesOfTheTree) {
    for (const json::Document& crd : embedded_crds()) {
        const std::string plural = json::string_at(crd, {"spec", "names", "plural"});
        const auto text = read_file(std::string(ATELIER_SOURCE_DIR) + "/crds/" + plural + ".yaml");
        ASSERT_TRUE(text) << plural;
        const auto parsed = parse_yaml(*text, plural);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(json::text(parsed->front().value), json::text(crd));
    }
    EXPECT_EQ(embedded_crds().size(), 9u);
}

constexpr std::string_view small_crd = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: things, kind: Thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
)";

TEST(KindFromCrd, FillsWhatIsNotSaid) {
    const auto kind = kind_from_crd(small_crd);
    ASSERT_TRUE(kind) << kind.error().message;
    EXPECT_EQ(kind->singular, "thing");
    EXPECT_EQ(kind->list_kind, "ThingList");
    EXPECT_FALSE(kind->status_subresource);
    ASSERT_EQ(kind->columns.size(), 1u);
    EXPECT_EQ(kind->columns[0].name, "Age");
}

TEST(KindFromCrd, RefusesWhatItDoesNotServe) {
    const std::tuple<std::string_view, std::string_view, std::string_view> rows[] = {
        {"apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1", "apiVersion must be"},
        {"things.example.org", "things.example.com",
         "metadata.name must be \"things.example.org\""},
        {"group: example.org", "group: ''", "metadata.name must be"},
        {"Namespaced", "Global", "scope must be"},
        {"plural: things, ", "", "names.plural and names.kind"},
        {"    schema: {openAPIV3Schema: {type: object}}\n", "", "openAPIV3Schema is wanted"},
        {"{openAPIV3Schema: {type: object}}", "{openAPIV3Schema: {type: string}}",
         "the type must be object"},
        {"  - name: v1\n", "  - name: v2\n  - name: v1\n", "exactly one version"},
        {"    served: true\n", "    served: true\n    subresources: {scale: {}}\n", "\"scale\""},
        {"    served: true\n", "    served: true\n    selectableFields: []\n", "selectableFields"},
        {"    served: true\n",
         "    served: true\n    additionalPrinterColumns: [{name: A, type: text, jsonPath: .a}]\n",
         "column \"A\": the type"},
        {"    served: true\n",
         "    served: true\n    additionalPrinterColumns: [{name: A, type: string, jsonPath: "
         "..a}]\n",
         "column \"A\": JSONPath"},
        {"  scope:", "  conversion: {strategy: Webhook}\n  scope:", "conversion is not served"},
    };
    for (const auto& [from, to, message] : rows) {
        std::string text(small_crd);
        text.replace(text.find(from), from.size(), to);
        const auto kind = kind_from_crd(text);
        ASSERT_FALSE(kind) << text;
        EXPECT_NE(kind.error().message.find(message), std::string::npos)
            << kind.error().message << " should say: " << message;
    }
    EXPECT_FALSE(kind_from_crd("a: ["));
    EXPECT_FALSE(kind_from_crd(""));
}

}  // namespace
}  // namespace atelier::crds
