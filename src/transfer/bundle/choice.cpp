#include "transfer/bundle/choice.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <stdexcept>
#include <utility>

#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/signed_text.hpp"

namespace entrepot::transfer {
namespace {

std::string id_of(std::string_view text) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text)).hex().substr(0, 32);
}

template <class Parsed>
auto good(const std::filesystem::path& file, Parsed parsed) {
  if (!parsed) throw std::runtime_error(file.string() + " " + parsed.error());
  return std::move(*parsed);
}

// Objects that some unit needs.
std::vector<bool> of_units(const Graph& graph) {
  std::vector<bool> used(graph.objects.size());
  for (const auto& unit : graph.units) {
    for (const auto object : unit.objects) used[object] = true;
  }
  return used;
}

// Manifests an index lists, beside its own.
void add_children(const Graph& graph, const PlannedUnit& unit, std::set<oci::Digest>& children) {
  for (const auto number : unit.objects | std::views::drop(1)) {
    const auto& object = graph.objects[number];
    if (!object.media_type.empty()) children.insert(object.digest);
  }
}

}  // namespace

Choice::Choice(const BundleOptions& options, const BundleSite& site)
    : options_(options), site_(site) {
  if (options_.want) {
    auto read = good(*options_.want, parse_want(read_file(*options_.want, largest_signed_text)));
    believe(*options_.want, read.key);
    want_ = std::move(read.want);
  }
  if (options_.again) {
    auto read = good(*options_.again, parse_ask(read_file(*options_.again, largest_signed_text)));
    believe(*options_.again, read.key);
    ask_ = std::move(read.ask);
    if (ask_->contents.sender.id != site_.site.id) {
      throw std::runtime_error(options_.again->string() + " asks for a bundle of the site " +
                               ask_->contents.sender.name);
    }
  }
}

void Choice::believe(const std::filesystem::path& file, const std::string& key) const {
  if (believed(site_.trusted, key)) return;
  throw std::runtime_error(file.string() + " is signed by the key " + key_id(key) +
                           ", which is none of a trusted site");
}

std::unordered_set<oci::Digest> Choice::asked_children() const {
  if (!ask_) return {};
  return {ask_->contents.children.begin(), ask_->contents.children.end()};
}

// At the receiver, by its own word.
bool Choice::is_there(const oci::Digest& digest) const {
  return ask_ ? ask_->holds(digest) : want_ && want_->says(prefix_of(digest));
}

std::vector<bool> Choice::carried(const Graph& graph, BundleReport& report) const {
  const auto used = of_units(graph);
  std::unordered_set<oci::Digest> asked;
  if (ask_) {
    for (const auto& [digest, size] : ask_->missing) asked.insert(digest);
  }
  std::vector<bool> carried;
  for (std::size_t i = 0; i < graph.objects.size(); ++i) {
    const auto& object = graph.objects[i];
    const bool goes = used[i] && (asked.erase(object.digest) > 0 || !is_there(object.digest));
    carried.push_back(goes);
    if (!used[i]) continue;
    if (!goes) {
      report.held_bytes += object.size;
      continue;
    }
    ++(object.media_type.empty() ? report.blobs : report.manifests);
    report.bytes += object.size;
  }
  report.not_found = asked.size();
  if (ask_ && report.manifests + report.blobs == 0) {
    throw std::runtime_error("nothing of what is asked for is here");
  }
  return carried;
}

bool Choice::is_news(const PlannedUnit& unit, const std::vector<bool>& carried) const {
  const auto& [repository, from, tag, digest, version, sparse] = unit.line;
  return !want_ || !want_->says(prefix_of(repository, tag, digest)) ||
         std::ranges::any_of(unit.objects, [&](std::uint32_t object) { return carried[object]; });
}

// What the receiver never had it need not delete.
bool Choice::is_wanted(const index::Change& removal) const {
  if (!want_) return true;
  return want_->says(removal.tag
                         ? prefix_of(removal.repository, *removal.tag)
                         : prefix_of(removal.repository, std::nullopt, removal.from.value()));
}

std::vector<RemovalLine> Choice::removals() const {
  std::vector<RemovalLine> lines;
  for (const auto& removal : options_.removals) {
    if (!is_wanted(removal)) continue;
    lines.push_back({removal.repository, removal.tag, removal.from, removal.version});
  }
  return lines;
}

Contents Choice::contents(const Graph& graph, const std::vector<bool>& carried) const {
  Contents contents;
  contents.sender = site_.site;
  if (want_) contents.receiver = want_->site;
  std::set<oci::Digest> children;
  for (const auto& unit : graph.units) {
    if (!is_news(unit, carried)) continue;
    contents.lines.push_back(unit.line);
    if (unit.line.sparse) add_children(graph, unit, children);
  }
  contents.children.assign(children.begin(), children.end());
  contents.removals = removals();
  return contents;
}

VolumeHead Choice::frame(const Graph& graph, const std::vector<bool>& carried,
                         base::WallTime now) const {
  VolumeHead frame;
  if (ask_) {
    frame.contents = ask_->contents;
    frame.series = id_of(frame.contents.bundle + std::to_string(now.time_since_epoch().count()));
  } else {
    frame.contents = contents(graph, carried);
    frame.contents.made = now;
    frame.contents.bundle = id_of(render(frame) + site_.key.public_key());
    frame.series = frame.contents.bundle;
  }
  frame.volumes = frame.number = 1;
  return frame;
}

}  // namespace entrepot::transfer
