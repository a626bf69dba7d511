#include "transfer/foreign_site.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "transfer/foreign_text.hpp"
#include "transfer/layout_reader.hpp"
#include "transfer/registry2_reader.hpp"

namespace entrepot::transfer {

namespace {

constexpr std::size_t longest_name = 255;
// A directory that is none of these may be anything; layouts are not sought at its bottom.
constexpr std::ptrdiff_t deepest_layout = 8;

bool is_repository(const ForeignFolder& folder, Shape shape) {
  return shape == Shape::layout ? is_layout(folder) : folder.inside("_manifests").has_value();
}

// The folder that has repositories/ and blobs/.
std::optional<ForeignFolder> registry2_top(const ForeignFolder& folder) {
  for (const auto* const path : {"docker/registry/v2", "registry/v2", "v2", ""}) {
    auto top = folder.inside(path);
    if (top && top->inside("repositories") && top->inside("blobs")) return top;
  }
  return std::nullopt;
}

}  // namespace

ForeignSite::ForeignSite(const std::filesystem::path& directory, const std::string& layout_name,
                         const Trouble& trouble)
    : top_(directory) {
  if (const auto registry = registry2_top(top_)) {
    shape_ = Shape::registry2;
    blobs_ = std::make_shared<ForeignBlobs>(*registry, shape_);
    top_ = registry->inside("repositories").value();
    find(top_, {}, trouble);
    return;
  }
  if (is_layout(top_)) {
    if (!oci::RepositoryName::parse(layout_name)) {
      throw std::runtime_error("an image layout does not say which repository it is: name one");
    }
    add(layout_name, {}, trouble);
    return;
  }
  find(top_, {}, trouble);
  if (!places_.empty()) return;
  throw std::runtime_error(directory.string() +
                           " holds neither docker/registry/v2 nor an image layout");
}

void ForeignSite::add(const std::string& name, const std::string& path, const Trouble& trouble) {
  const auto parsed = oci::RepositoryName::parse(name);
  if (!parsed) return trouble("\"" + shown(name) + "\" is not a name of a repository");
  places_.push_back({*parsed, path});
}

// Folders in a repository may be repositories, too: a, a/b.
void ForeignSite::find(const ForeignFolder& folder, const std::string& name,
                       const Trouble& trouble) {
  const bool found = !name.empty() && is_repository(folder, shape_);
  if (found) add(name, name, trouble);
  const auto prefix = name.empty() ? std::string() : name + "/";
  for (const auto& child : folder.folders()) {
    if (child.starts_with('_') || child.starts_with('.')) continue;
    if (found && shape_ == Shape::layout && child == "blobs") continue;
    if (shape_ == Shape::layout && std::ranges::count(prefix, '/') >= deepest_layout) continue;
    const auto path = prefix + child;
    if (path.size() > longest_name) {
      trouble("\"" + shown(path) + "\" is too long for a repository");
      continue;
    }
    try {
      if (const auto inner = folder.inside(child)) find(*inner, path, trouble);
    } catch (const std::system_error& error) {
      trouble("\"" + shown(path) + "\" cannot be read: " + error.code().message());
    }
  }
}

std::uint64_t ForeignSite::bytes() const {
  if (blobs_) return blobs_->bytes();
  std::uint64_t sum = 0;
  for (const auto& place : places_) {
    if (const auto folder = top_.inside(place.path)) sum += ForeignBlobs(*folder, shape_).bytes();
  }
  return sum;
}

ForeignRepository ForeignSite::repository(std::size_t number, const Trouble& trouble) const {
  const auto& place = places_.at(number);
  ForeignRepository repository{place.name, blobs_, {}, {}};
  try {
    read(place, repository, trouble);
  } catch (const std::system_error& error) {
    trouble(place.name.text() + " cannot be read: " + error.what());
    return {place.name, blobs_, {}, {}};
  }
  return repository;
}

void ForeignSite::read(const Place& place, ForeignRepository& repository,
                       const Trouble& trouble) const {
  const auto folder = top_.inside(place.path);
  if (!folder) return trouble(place.name.text() + " is gone");
  if (shape_ == Shape::registry2) return read_registry2(*folder, repository, trouble);
  repository.blobs = std::make_shared<ForeignBlobs>(*folder, shape_);
  read_layout(*folder, repository, trouble);
}

}  // namespace entrepot::transfer
