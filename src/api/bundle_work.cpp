#include "entrepot/api/bundle_work.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "entrepot/index/catalog.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

using Progress = std::shared_ptr<upkeep::Progress>;
using transfer::BundleImage;

// More than any client lists at once.
constexpr std::size_t tags_at_once = 1000;

template <class T>
json::array list_of(const std::vector<T>& items) {
  json::array list;
  for (const auto& item : items) list.emplace_back(item);
  return list;
}

std::string render(const transfer::BundleReport& report) {
  json::object summary;
  summary["bundle"] = report.bundle;
  summary["images"] = report.images;
  summary["removals"] = report.removals;
  summary["manifests"] = report.manifests;
  summary["blobs"] = report.blobs;
  summary["bytes"] = report.bytes;
  summary["held_bytes"] = report.held_bytes;
  summary["not_found"] = report.not_found;
  summary["volume_bytes"] = report.volume_bytes;
  summary["volumes"] = list_of(report.volumes);
  return json::serialize(summary);
}

json::object describe(const transfer::ApplyReport& report) {
  json::object entry;
  entry["bundle"] = report.bundle;
  entry["from"] = report.from;
  entry["state"] = transfer::to_string(report.state);
  entry["volumes"] = report.volumes;
  entry["damaged"] = list_of(report.damaged);
  entry["lost"] = list_of(report.lost);
  entry["rebuilt"] = list_of(report.rebuilt);
  if (!report.ask.empty()) entry["ask"] = report.ask;
  entry["missing"] = report.missing;
  entry["missing_bytes"] = report.missing_bytes;
  entry["images"] = report.images;
  entry["tags"] = report.tags;
  entry["refused"] = report.refused;
  entry["removed"] = list_of(report.removed);
  entry["kept"] = report.kept;
  entry["blobs"] = report.blobs;
  entry["bytes"] = report.bytes;
  return entry;
}

transfer::BundleListener listener_of(Progress progress) {
  transfer::BundleListener listener;
  listener.bytes = [progress](std::uint64_t done, std::uint64_t total) {
    progress->at(done, total, "bytes");
  };
  listener.trouble = [progress](const std::string& volume, const std::string& sentence) {
    progress->line(json::serialize(json::object{{"volume", volume}, {"trouble", sentence}}));
  };
  listener.stop = [progress] { return progress->stop_wanted(); };
  return listener;
}

async::Task<transfer::BundleSite> site_of(const BundleHouse& house) {
  auto id = co_await house.intake.index.read(
      [](const index::View& view) { return index::site_id(view); });
  co_return transfer::BundleSite{
      .key = house.key, .site = {std::move(id), house.site_name}, .trusted = house.trusted};
}

// ---- which images -----------------------------------------------------------------------------

// The version of a tag of ours; mirrored ones are nobody's change.
async::Task<std::optional<index::Version>> version_of(index::Index& index,
                                                      oci::RepositoryName canonical, oci::Tag tag) {
  co_return co_await index.read([&](const index::View& view) -> std::optional<index::Version> {
    if (index::repository_kind(view, canonical) != index::RepositoryKind::local) {
      return std::nullopt;
    }
    const auto record = index::tag(view, canonical, tag);
    return record ? std::optional(record->version) : std::nullopt;
  });
}

async::Task<BundleImage> image_of(index::Index& index, registry::Route route,
                                  oci::Reference reference) {
  const auto found = co_await route.source->resolve(route.name, reference);
  if (!found) registry::refuse(found.error(), registry::Subject::manifest);
  BundleImage image{.source = route.source,
                    .from = route.name,
                    .repository = route.canonical,
                    .digest = found->digest};
  if (const auto* tag = reference.tag()) {
    image.tag = *tag;
    image.version = co_await version_of(index, route.canonical, *tag);
  }
  co_return image;
}

async::Task<> add_all_tags(index::Index& index, registry::Route route,
                           std::vector<BundleImage>& images) {
  registry::Page page{.after = {}, .limit = tags_at_once};
  for (bool more = true; more;) {
    auto found = co_await route.source->tags(route.name, page);
    if (!found) registry::refuse(found.error(), registry::Subject::repository);
    more = found->more && !found->tags.empty();
    if (more) page.after = found->tags.back().text();
    for (auto& tag : found->tags) {
      images.push_back(co_await image_of(index, route, oci::Reference(std::move(tag))));
    }
  }
}

// REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST.
struct Wish {
  std::string name;
  std::optional<oci::Reference> reference;
};

Wish wish_of(const std::string& text) {
  const auto at = text.find('@');
  const auto end = at != text.npos ? at : text.find(':', text.rfind('/') + 1);
  if (end == text.npos) return {text, std::nullopt};
  auto reference = oci::Reference::parse(text.substr(end + 1));
  if (!reference) throw oci::Refusal(oci::ErrorCode::tag_invalid, text + " names no image");
  return {text.substr(0, end), std::move(reference)};
}

async::Task<std::vector<BundleImage>> named_images(BundleHouse house, BundleOrder order) {
  std::vector<BundleImage> images;
  for (const auto& text : order.references) {
    const auto wish = wish_of(text);
    auto route = co_await order.locate(wish.name);
    if (wish.reference) {
      images.push_back(co_await image_of(house.intake.index, std::move(route), *wish.reference));
    } else {
      co_await add_all_tags(house.intake.index, std::move(route), images);
    }
  }
  co_return images;
}

async::Task<std::vector<BundleImage>> asked_images(BundleHouse house, BundleOrder order) {
  auto asked = co_await house.intake.pool.run([&] { return transfer::read_ask(*order.again); });
  std::vector<BundleImage> images;
  for (auto& wish : asked) {
    const auto route = co_await order.locate(wish.from);
    images.push_back({.source = route.source,
                      .from = route.name,
                      .repository = std::move(wish.repository),
                      .tag = std::move(wish.tag),
                      .digest = wish.digest,
                      .version = std::move(wish.version),
                      .sparse = wish.sparse});
  }
  co_return images;
}

// The images, and how much of each.
async::Task<transfer::BundleOptions> images_of(BundleHouse house, BundleOrder order) {
  if (!order.rule.empty()) {
    if (!house.covered) throw std::invalid_argument("there is no rule " + order.rule);
    co_return co_await house.covered(order.rule);
  }
  transfer::BundleOptions options;
  if (order.references.empty() && order.again) {
    options.images = co_await asked_images(std::move(house), std::move(order));
    // Those the bundle brought stand in the ask-file by themselves.
    options.referrers = false;
  } else {
    options.images = co_await named_images(std::move(house), std::move(order));
  }
  co_return options;
}

// ---- the works --------------------------------------------------------------------------------

async::Task<std::string> want(BundleHouse house, WantOrder order) {
  const auto report = co_await transfer::write_want(
      house.intake.index, house.intake.pool, house.key, house.site_name, house.intake.clock.wall(),
      order.repositories, order.file);
  const auto card = co_await site_card(house);
  json::object summary;
  summary["file"] = order.file.string();
  summary["site"] = card.id;
  summary["key"] = card.key;
  summary["repositories"] = report.repositories;
  summary["digests"] = report.digests;
  summary["bytes"] = report.bytes;
  co_return json::serialize(summary);
}

async::Task<std::string> make_bundle(BundleHouse house, BundleOrder order, Progress progress) {
  auto options = co_await images_of(house, order);
  options.directory = order.directory;
  options.want = order.want;
  options.again = order.again;
  options.volume_size = order.volume_size;
  options.parity = order.parity;
  options.facts = &house.intake.index;
  if (options.images.empty() && options.removals.empty()) {
    throw std::runtime_error("there is no image to bundle");
  }
  try {
    const auto report = co_await transfer::create_bundle(std::move(options),
                                                         co_await site_of(house), house.intake.pool,
                                                         house.intake.clock, listener_of(progress));
    co_return render(report);
  } catch (const std::runtime_error&) {
    if (!progress->stop_wanted()) throw;
  }
  co_return "{}";
}

async::Task<std::string> apply(BundleHouse house, BundleApplication order, index::Actor actor,
                               Progress progress) {
  transfer::BundleIntake intake(house.intake, co_await site_of(house));
  json::object summary;
  if (!order.abandon.empty()) {
    summary["abandoned"] = co_await intake.abandon(order.abandon);
    co_return json::serialize(summary);
  }
  const auto reports =
      co_await intake.apply({.paths = order.paths, .ask = order.ask, .accepts = house.accepts},
                            std::move(actor), listener_of(progress));
  json::array bundles;
  for (const auto& report : reports) bundles.push_back(describe(report));
  summary["bundles"] = std::move(bundles);
  co_return json::serialize(summary);
}

}  // namespace

upkeep::Jobs::Work want_work(BundleHouse house, WantOrder order) {
  return [house = std::move(house), order = std::move(order)](const Progress&) {
    return want(house, order);
  };
}

upkeep::Jobs::Work bundle_work(BundleHouse house, BundleOrder order) {
  return [house = std::move(house), order = std::move(order)](Progress progress) {
    return make_bundle(house, order, std::move(progress));
  };
}

upkeep::Jobs::Work bundle_application_work(BundleHouse house, BundleApplication order,
                                           index::Actor actor) {
  return [house = std::move(house), order = std::move(order), actor = std::move(actor)](
             Progress progress) { return apply(house, order, actor, std::move(progress)); };
}

async::Task<SiteCard> site_card(BundleHouse house) {
  const auto site = co_await site_of(house);
  co_return SiteCard{site.site.id, site.site.name, site.key.public_key()};
}

}  // namespace entrepot::api
