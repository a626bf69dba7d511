#include <algorithm>
#include <map>
#include <stdexcept>
#include <system_error>

#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/delivery.hpp"
#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {
namespace {

namespace fs = std::filesystem;

// What nobody came back for.
constexpr auto kept = std::chrono::days(30);

struct Found {
  fs::path path;
  bool named = false;  // by the operator, not found in a directory
};

std::vector<Found> files_of(const std::vector<fs::path>& paths) {
  std::vector<Found> found;
  for (const auto& path : paths) {
    if (!fs::is_directory(path)) {
      found.push_back({path, true});
      continue;
    }
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const auto& entry : fs::directory_iterator(path)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with('.') || entry.symlink_status().type() != fs::file_type::regular)
        continue;
      found.push_back({entry.path(), false});
    }
    std::ranges::sort(found.begin() + first, found.end(), {}, &Found::path);
  }
  return found;
}

// All files of one run, sorted by the bundle they belong to.
class Sorting {
 public:
  Sorting(const BundleSite& site, const BundleListener& listener)
      : site_(site), listener_(listener) {}

  void add(const Found& file) {
    try {
      auto opened = VolumeFile::open(file.path, site_.trusted);
      if (opened) {
        auto card = card_of(*opened);
        bytes_ += card.parity ? 0 : card.bytes;
        bundles_[card.bundle].push_back(std::move(card));
      } else {
        refuse(file, opened.error());
      }
    } catch (const std::system_error& error) {
      troubles_.emplace_back(file.path, std::string("cannot be read: ") + error.what());
    }
  }
  void tell() {
    for (const auto& [path, sentence] : troubles_) {
      base::log::warn("file is none of a bundle's", {{"file", path.string()}, {"why", sentence}});
      if (listener_.trouble) listener_.trouble(shown(path.filename().string()), sentence);
    }
    troubles_.clear();
  }

  std::map<std::string, std::vector<VolumeCard>>& bundles() { return bundles_; }
  const std::vector<fs::path>& unknown() const { return unknown_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void refuse(const Found& file, const VolumeTrouble& trouble) {
    const bool likely = file.named || file.path.extension() == ".tar";
    if (!likely && trouble.kind == VolumeTrouble::Kind::other) return;
    if (trouble.kind != VolumeTrouble::Kind::foreign) unknown_.push_back(file.path);
    troubles_.emplace_back(file.path, trouble.sentence);
  }

  const BundleSite& site_;
  const BundleListener& listener_;
  std::map<std::string, std::vector<VolumeCard>> bundles_;
  std::vector<fs::path> unknown_;
  std::vector<std::pair<fs::path, std::string>> troubles_;
  std::uint64_t bytes_ = 0;
};

// Why a bundle may not come in at all; empty: it may.
std::string objection(const VolumeCard& card, const BundleSite& site) {
  const auto& receiver = card.receiver;
  if (receiver.id.empty() || receiver.id == site.site.id) return {};
  return "is for the site " + (receiver.name.empty() ? receiver.id : receiver.name);
}

fs::path ask_of(const fs::path& asked, const std::string& bundle, std::size_t bundles) {
  if (asked.empty() || bundles == 1) return asked;
  return fs::path(asked).concat("." + bundle.substr(0, 8));
}

void log_report(const ApplyReport& report) {
  base::log::info("bundle applied", {{"bundle", report.bundle},
                                     {"from", report.from},
                                     {"state", to_string(report.state)},
                                     {"images", report.images},
                                     {"tags", report.tags},
                                     {"blobs", report.blobs},
                                     {"bytes", report.bytes},
                                     {"rebuilt", report.rebuilt.size()},
                                     {"missing", report.missing}});
}

async::Task<ApplyReport> deliver(BundleDelivery& delivery, std::string bundle, std::string from,
                                 const BundleListener& listener,
                                 std::function<void(std::uint64_t)> passed) {
  std::string sentence;
  try {
    co_return co_await delivery.run(std::move(passed));
  } catch (const oci::Refusal& refusal) {
    sentence = refusal.what();
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error& error) {
    sentence = error.what();
  }
  if (listener.trouble) listener.trouble(bundle, sentence);
  co_return ApplyReport{.bundle = bundle, .from = std::move(from)};
}

}  // namespace

std::string_view to_string(ApplyReport::State state) {
  using enum ApplyReport::State;
  switch (state) {
    case done:
      return "done";
    case held:
      return "held";
    case incomplete:
      return "incomplete";
    case refused:
      return "refused";
  }
  return "refused";
}

BundleIntake::BundleIntake(House house, BundleSite site)
    : house_(std::move(house)), site_(std::move(site)) {
  site_.trusted.push_back({.name = site_.site.name, .key = site_.key.public_key()});
}

async::Task<std::vector<ApplyReport>> BundleIntake::apply(ApplyOptions options, index::Actor actor,
                                                          BundleListener listener) {
  co_await sweep(house_.clock.wall() - kept);
  const auto files = co_await house_.pool.run([&] { return files_of(options.paths); });
  Sorting sorting(site_, listener);
  for (const auto& file : files) co_await house_.pool.run([&] { sorting.add(file); });
  sorting.tell();
  const auto total = sorting.bytes();
  std::uint64_t done = 0;
  const auto passed = [&](std::uint64_t bytes) {
    done += bytes;
    if (listener.bytes) listener.bytes(std::min(done, total), total);
  };
  const BundleDeliveryTerms terms{house_, site_, options, actor, listener, sorting.unknown()};
  std::vector<ApplyReport> reports;
  const auto bundles = sorting.bundles().size();
  for (auto& [bundle, cards] : sorting.bundles()) {
    if (const auto why = objection(cards.front(), site_); !why.empty()) {
      for (const auto& card : cards) {
        if (listener.trouble) listener.trouble(shown(card.path.filename().string()), why);
      }
      reports.push_back({.bundle = bundle,
                         .from = cards.front().sender.name,
                         .state = ApplyReport::State::refused});
      continue;
    }
    const auto from = cards.front().sender.name;
    BundleDelivery delivery(terms, std::move(cards), ask_of(options.ask, bundle, bundles));
    reports.push_back(co_await deliver(delivery, bundle, from, listener, passed));
    log_report(reports.back());
    if (listener.stop && listener.stop()) break;
  }
  co_return reports;
}

async::Task<std::uint64_t> BundleIntake::abandon(std::string bundle) {
  co_return co_await house_.pool.run(
      [&] { return Staging::remove(house_.staging, bundle) ? 1U : 0U; });
}

async::Task<std::uint64_t> BundleIntake::sweep(base::WallTime before) {
  co_return co_await house_.pool.run([&] {
    std::uint64_t swept = 0;
    for (const auto& bundle : Staging::idle(house_.staging, before)) {
      if (Staging::remove(house_.staging, bundle)) ++swept;
    }
    return swept;
  });
}

}  // namespace entrepot::transfer
