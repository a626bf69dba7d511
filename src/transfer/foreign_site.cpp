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
                         const Trouble& trouble) {
  const ForeignFolder folder(directory);
  if (const auto top = registry2_top(folder)) {
    shape_ = Shape::registry2;
    blobs_ = std::make_shared<ForeignBlobs>(*top, shape_);
    find(top->inside("repositories").value(), {}, trouble);
    return;
  }
  if (is_layout(folder)) {
    if (!oci::RepositoryName::parse(layout_name)) {
      throw std::runtime_error("an image layout does not say which repository it is: name one");
    }
    add(folder, layout_name, trouble);
    return;
  }
  find(folder, {}, trouble);
  if (!places_.empty()) return;
  throw std::runtime_error(directory.string() +
                           " holds neither docker/registry/v2 nor an image layout");
}

void ForeignSite::add(const ForeignFolder& folder, const std::string& name,
                      const Trouble& trouble) {
  const auto parsed = oci::RepositoryName::parse(name);
  if (!parsed) return trouble("\"" + shown(name) + "\" is not a name of a repository");
  auto blobs = shape_ == Shape::layout ? std::make_shared<ForeignBlobs>(folder, shape_) : blobs_;
  places_.push_back({*parsed, folder, std::move(blobs)});
}

// Folders in a repository may be repositories, too: a, a/b.
void ForeignSite::find(const ForeignFolder& folder, const std::string& name,
                       const Trouble& trouble) {
  const bool found = !name.empty() && is_repository(folder, shape_);
  if (found) add(folder, name, trouble);
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
  for (const auto& place : places_) sum += place.blobs->bytes();
  return sum;
}

ForeignRepository ForeignSite::repository(std::size_t number, const Trouble& trouble) const {
  const auto& place = places_.at(number);
  ForeignRepository repository{place.name, place.blobs, {}, {}};
  try {
    if (shape_ == Shape::layout) {
      read_layout(place.folder, repository, trouble);
    } else {
      read_registry2(place.folder, repository, trouble);
    }
  } catch (const std::system_error& error) {
    trouble(place.name.text() + " cannot be read: " + error.what());
    return {place.name, place.blobs, {}, {}};
  }
  return repository;
}

}  // namespace entrepot::transfer
