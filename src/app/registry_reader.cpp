#include "app/registry_reader.hpp"

#include "app/upstream_reader.hpp"

namespace entrepot::app {
namespace {

registry::MissingContent read_missing(const YamlValue& value) {
  using registry::MissingContent;
  const auto word = value.text();
  if (word == "refuse") return MissingContent::refuse;
  if (word == "allow_children") return MissingContent::allow_children;
  if (word == "allow") return MissingContent::allow;
  value.fail("expected refuse, allow_children or allow, found '" + word + "'");
}

registry::ImmutableTags read_immutable(YamlSection section) {
  registry::ImmutableTags immutable{read_globs(section.require("repositories")),
                                    read_globs(section.require("tags"))};
  section.finish();
  return immutable;
}

registry::UploadLimits read_uploads(YamlSection section) {
  registry::UploadLimits limits;
  if (const auto value = section.take("expire")) limits.expire = value->duration();
  if (const auto value = section.take("per_user")) {
    limits.per_principal = value->number(1, 1'000'000);
  }
  if (const auto value = section.take("total")) limits.total = value->number(1, 1'000'000);
  section.finish();
  return limits;
}

registry::Quota read_quota(const YamlValue& entry) {
  auto section = entry.section();
  registry::Quota quota{read_globs(section.require("repositories"))};
  if (const auto value = section.take("bytes")) quota.bytes = value->size();
  if (const auto value = section.take("tags")) quota.tags = value->number(0, 1'000'000'000);
  if (const auto value = section.take("uploads")) quota.uploads = value->number(0, 1'000'000);
  section.finish();
  if (!quota.bytes && !quota.tags && !quota.uploads) {
    entry.fail("a quota limits bytes, tags or uploads");
  }
  return quota;
}

}  // namespace

RegistryConfig read_registry(YamlSection section) {
  RegistryConfig config;
  auto& policy = config.policy;
  if (const auto value = section.take("delete")) {
    policy.deletion = value->boolean() ? registry::Deletion::allowed : registry::Deletion::refused;
  }
  if (const auto value = section.take("read_only")) {
    config.read_only = value->boolean() ? ReadOnly::yes : ReadOnly::no;
  }
  if (const auto value = section.take("missing")) policy.missing = read_missing(*value);
  if (const auto value = section.take("immutable")) {
    for (const auto& entry : value->list()) {
      policy.immutable.push_back(read_immutable(entry.section()));
    }
  }
  if (const auto value = section.take("uploads")) policy.uploads = read_uploads(value->section());
  if (const auto value = section.take("quotas")) {
    for (const auto& entry : value->list()) policy.quotas.push_back(read_quota(entry));
  }
  section.finish();
  return config;
}

void read_history(YamlSection section, CollectConfig& collect) {
  if (const auto value = section.take("keep")) collect.options.history = value->duration();
  section.finish();
}

void read_collect(YamlSection section, CollectConfig& collect) {
  auto& options = collect.options;
  if (const auto value = section.take("every")) collect.every = value->duration();
  if (const auto value = section.take("lease")) collect.lease = value->duration();
  if (const auto value = section.take("grace")) options.grace = value->duration();
  if (const auto value = section.take("trash")) options.trash = value->duration();
  if (const auto value = section.take("delete_untagged")) {
    options.untagged = value->boolean() ? upkeep::Untagged::remove : upkeep::Untagged::keep;
  }
  section.finish();
}

}  // namespace entrepot::app
