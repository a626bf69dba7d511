#include "transfer/bundle/delivery.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <unordered_set>

#include "entrepot/base/glob.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/holdings.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/unpacking.hpp"
#include "transfer/bundle/volume_scan.hpp"
#include "transfer/foreign_folder.hpp"
#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {
namespace {

// What a crash costs at most.
constexpr std::uint64_t bytes_unsettled = 256 << 20;
constexpr std::uint64_t bytes_a_read = 1 << 20;
constexpr int reads_a_turn = 16;

// Somebody else chose it.
std::string file_name(const std::filesystem::path& path) { return shown(path.filename().string()); }

// Of the same bundle, whoever carries it: an ask adds the receiver's name.
bool is_same(const Contents& one, const Contents& other) {
  return one.lines == other.lines && one.removals == other.removals &&
         one.sender.id == other.sender.id && one.made == other.made;
}

}  // namespace

VolumeCard card_of(const VolumeFile& file) {
  const auto& head = file.head();
  return {.path = file.path(),
          .bytes = file.size(),
          .bundle = head.contents.bundle,
          .series = head.series,
          .number = head.number,
          .volumes = head.volumes,
          .parity = head.parity.has_value(),
          .sender = head.contents.sender,
          .receiver = head.contents.receiver};
}

BundleDelivery::BundleDelivery(BundleDeliveryTerms terms, std::vector<VolumeCard> cards,
                               std::filesystem::path ask)
    : terms_(terms), cards_(std::move(cards)), ask_(std::move(ask)) {
  report_.bundle = cards_.front().bundle;
  report_.from = cards_.front().sender.name;
}

async::Task<ApplyReport> BundleDelivery::run(std::function<void(std::uint64_t)> passed) {
  passed_ = std::move(passed);
  co_await terms_.house.pool.run([&] {
    staging_.emplace(terms_.house.staging, report_.bundle);
    if (auto head = staging_->head()) {
      if (head->series == report_.bundle) report_.volumes = head->volumes;
      contents_ = std::move(head->contents);
    }
  });
  inventory_.emplace(terms_.house, *staging_);
  co_await take_all();
  if (!stopped()) co_await find_missing();
  if (!stopped() && !is_complete()) co_await take_again();
  if (!stopped() && !is_complete()) co_await repair_all();
  note_lost();
  if (stopped()) co_return std::move(report_);
  if (is_complete()) {
    co_await unpack();
  } else {
    co_await ask();
  }
  co_return std::move(report_);
}

void BundleDelivery::complain(const std::filesystem::path& file, const std::string& sentence) {
  base::log::warn("volume of a bundle refused", {{"file", file.string()}, {"why", sentence}});
  if (terms_.listener.trouble) terms_.listener.trouble(file_name(file), sentence);
}

async::Task<> BundleDelivery::settle() {
  co_await terms_.house.pool.run([&] { staging_->settle(); });
}

async::Task<> BundleDelivery::take_all() {
  for (const auto& card : cards_) {
    if (card.series == card.bundle) report_.volumes = card.volumes;
    if (card.parity || stopped()) continue;
    co_await take(card);
  }
  co_await assemble();
}

// Whether it is whole.
async::Task<bool> BundleDelivery::take(VolumeCard card) {
  if (staging_->took(card.series, card.number)) {
    passed_(card.bytes);
    co_return true;
  }
  co_return co_await read(std::move(card));
}

async::Task<bool> BundleDelivery::read(VolumeCard card) {
  const auto file = co_await terms_.house.pool.run(
      [&] { return VolumeFile::open(card.path, terms_.site.trusted); });
  auto trouble =
      file ? co_await terms_.house.pool.run([&] { return check(*file); }) : file.error().sentence;
  if (trouble.empty()) trouble = co_await scan(*file);
  if (stopped()) co_return false;
  const bool whole = trouble.empty();
  if (whole) {
    staging_->note_volume(card.series, card.number);
  } else {
    report_.damaged.push_back(file_name(card.path));
    complain(card.path, trouble);
  }
  co_await settle();
  co_return whole;
}

std::string BundleDelivery::check(const VolumeFile& file) {
  const auto& head = file.head();
  if (!contents_) {
    contents_ = head.contents;
    staging_->set_head(file.head_text());
  } else if (!is_same(*contents_, head.contents)) {
    return "speaks of other images than the volumes before it";
  }
  return {};
}

async::Task<std::vector<bool>> BundleDelivery::needed(const VolumeFile& file) {
  std::vector<bool> needed;
  for (const auto& member : file.head().members) {
    const bool content = member.kind == MemberKind::blob || member.kind == MemberKind::part;
    needed.push_back(content && !staging_->has(*member.digest) &&
                     !co_await inventory_->is_held(*member.digest));
  }
  co_return needed;
}

async::Task<std::string> BundleDelivery::scan(const VolumeFile& file) {
  VolumeScan scan(file, *staging_, co_await needed(file));
  std::uint64_t told = 0;
  std::uint64_t settled = 0;
  for (bool more = true; more && !stopped();) {
    more = co_await terms_.house.pool.run([&] { return scan.step(); });
    passed_(scan.passed() - told);
    told = scan.passed();
    if (told - settled < bytes_unsettled) continue;
    co_await settle();
    settled = told;
  }
  co_return scan.trouble();
}

// Blobs that came in parts were verified by part; now as what they are called.
async::Task<> BundleDelivery::assemble() {
  while (!stopped()) {
    const auto next = co_await terms_.house.pool.run([&] { return staging_->assembled(); });
    if (!next) break;
    oci::Hasher hasher(next->digest.algorithm());
    std::uint64_t offset = 0;
    for (bool more = true; more && !stopped();) {
      more = co_await terms_.house.pool.run([&] {
        for (int turn = 0; turn < reads_a_turn; ++turn) {
          const auto bytes = read_at(next->file, offset, bytes_a_read);
          hasher.update(base::as_bytes(bytes));
          offset += bytes.size();
          if (bytes.size() < bytes_a_read) return false;
        }
        return true;
      });
    }
    if (stopped()) break;
    const bool good = hasher.current() == next->digest;
    co_await terms_.house.pool.run([&] { staging_->close_assembled(next->digest, good); });
  }
  co_await settle();
}

// What was held here when its volume was taken was not kept of it, and may be gone since.
async::Task<> BundleDelivery::take_again() {
  std::unordered_set<oci::Digest> missing;
  for (const auto& [digest, size] : missing_) missing.insert(digest);
  bool any = false;
  for (const auto& card : cards_) {
    if (card.parity || stopped() || !staging_->took(card.series, card.number)) continue;
    const bool has_some = co_await terms_.house.pool.run([&] {
      const auto file = VolumeFile::open(card.path, terms_.site.trusted);
      return file && std::ranges::any_of(file->head().members, [&](const VolumeMember& member) {
               return member.digest && missing.contains(*member.digest);
             });
    });
    if (!has_some) continue;
    any = true;
    co_await read(card);
  }
  if (!any) co_return;
  co_await assemble();
  co_await find_missing();
}

async::Task<> BundleDelivery::find_missing() {
  if (contents_) missing_ = co_await inventory_->missing(*contents_);
}

// ---- parity -----------------------------------------------------------------------------------

async::Task<> BundleDelivery::repair_all() {
  std::vector<std::string> series;
  for (const auto& card : cards_) {
    if (card.parity && std::ranges::find(series, card.series) == series.end()) {
      series.push_back(card.series);
    }
  }
  for (const auto& one : series) {
    if (!stopped() && !is_complete()) co_await repair(one);
  }
}

async::Task<std::unique_ptr<VolumeRepair>> BundleDelivery::begin_repair(std::string series) {
  co_return co_await terms_.house.pool.run([&]() -> std::unique_ptr<VolumeRepair> {
    std::vector<VolumeFile> parities;
    for (const auto& card : cards_) {
      if (!card.parity || card.series != series) continue;
      if (auto file = VolumeFile::open(card.path, terms_.site.trusted)) {
        parities.push_back(std::move(*file));
      }
    }
    if (parities.empty()) return nullptr;
    auto repair = std::make_unique<VolumeRepair>(std::move(parities));
    for (const auto& card : cards_) {
      if (!card.parity && card.series == series) repair->add(card.number, card.path);
    }
    for (const auto& path : terms_.unknown) {
      if (repair->recognize(path)) report_.damaged.push_back(file_name(path));
    }
    return repair;
  });
}

async::Task<> BundleDelivery::repair(std::string series) {
  const auto repair = co_await begin_repair(series);
  if (!repair) co_return;
  auto& pool = terms_.house.pool;
  while (!stopped() && co_await pool.run([&] { return repair->look_on(); })) {
  }
  std::map<std::uint64_t, std::filesystem::path> wanted;
  for (std::uint64_t number = 1; number <= repair->volumes(); ++number) {
    if (staging_->took(series, number) || !repair->can_rebuild(number)) continue;
    wanted.emplace(number, staging_->rebuilt(number));
  }
  if (stopped() || wanted.empty()) co_return;
  co_await pool.run([&] { repair->begin(wanted); });
  while (!stopped() && co_await pool.run([&] { return repair->rebuild_on(); })) {
  }
  co_await take_rebuilt(std::move(series), std::move(wanted));
}

async::Task<> BundleDelivery::take_rebuilt(std::string series,
                                           std::map<std::uint64_t, std::filesystem::path> files) {
  for (const auto& [number, path] : files) {
    VolumeCard card{.path = path,
                    .bundle = report_.bundle,
                    .series = series,
                    .number = number,
                    .sender = {},
                    .receiver = {}};
    if (!stopped() && co_await take(std::move(card))) report_.rebuilt.push_back(number);
    co_await terms_.house.pool.run([&] { std::filesystem::remove(path); });
  }
  co_await assemble();
  co_await find_missing();
}

// ---- the end ----------------------------------------------------------------------------------

void BundleDelivery::note_lost() {
  if (is_complete()) return;
  const auto taken = staging_->taken_of(report_.bundle);
  for (std::uint64_t number = 1; number <= report_.volumes; ++number) {
    if (!taken.contains(number)) report_.lost.push_back(number);
  }
}

// Names that others answer for here stay theirs.
async::Task<> BundleDelivery::judge(oci::RepositoryName repository) {
  if (judged_.contains(repository)) co_return;
  const auto kind = co_await terms_.house.index.read(
      [&](const index::View& view) { return index::repository_kind(view, repository); });
  const auto& accepts = terms_.options.accepts;
  const bool good = kind != index::RepositoryKind::mirrored && (!accepts || accepts(repository));
  if (!good && terms_.listener.trouble) {
    terms_.listener.trouble(repository.text(), "is the name of a mirrored repository here");
  }
  judged_.emplace(std::move(repository), good);
}

template <class Line>
async::Task<std::vector<Line>> BundleDelivery::acceptable(const std::vector<Line>& lines) {
  std::vector<Line> accepted;
  for (const auto& line : lines) {
    co_await judge(line.repository);
    if (judged_.at(line.repository)) {
      accepted.push_back(line);
    } else {
      ++report_.refused;
    }
  }
  co_return accepted;
}

async::Task<> BundleDelivery::unpack() {
  report_.images = contents_->lines.size();
  const auto lines = co_await acceptable(contents_->lines);
  const auto removals = co_await acceptable(contents_->removals);
  Unpacking unpacking(terms_.house, *staging_, *inventory_, terms_.actor, terms_.listener, report_);
  if (!co_await unpacking.run(lines)) co_return;
  if (!co_await unpacking.remove(removals)) co_return;
  report_.state = unpacking.changed() ? ApplyReport::State::done : ApplyReport::State::held;
  co_await terms_.house.pool.run([&] { staging_->remove(); });
}

async::Task<> BundleDelivery::ask() {
  report_.missing = missing_.size();
  for (const auto& [digest, size] : missing_) report_.missing_bytes += size;
  if (!contents_ || ask_.empty()) co_return;
  const base::GlobSet all({"**"});
  Ask ask{.contents = *contents_, .missing = missing_, .prefixes = {}};
  ask.contents.receiver = terms_.site.site;
  auto held = co_await holdings(terms_.house.index, all);
  co_await terms_.house.pool.run([&] {
    for (const auto& digest : staging_->whole()) held.digests.push_back(prefix_of(digest));
    ask.prefixes = all_of(std::move(held));
    DurableFile file(ask_);
    file.append(render(ask, terms_.site.key));
    file.finish();
  });
  report_.ask = ask_.string();
}

}  // namespace entrepot::transfer
