#include "upstream/upload_notes.hpp"

#include <algorithm>
#include <charconv>

#include "entrepot/base/log.hpp"
#include "entrepot/index/notes.hpp"

namespace entrepot::upstream {
namespace {

constexpr std::string_view scope = "uploads under way";
constexpr std::size_t most = 256;
constexpr std::size_t longest_address = 4096;
// Registries give up uploads sooner than this.
constexpr std::chrono::hours kept_for(7 * 24);

// "<milliseconds> <configured URL> <address>"; no URL has a blank.
struct Row {
  base::WallTime since{};
  std::string_view url;
  std::string_view address;
};

std::optional<Row> read_row(std::string_view text) {
  base::Milliseconds::rep since = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), since);
  if (read.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  const auto blank = text.find(' ', 1);
  if (!text.starts_with(' ') || blank == text.npos) return std::nullopt;
  return Row{.since = base::WallTime(base::Milliseconds(since)),
             .url = text.substr(1, blank - 1),
             .address = text.substr(blank + 1)};
}

std::string write_row(const Row& row) {
  return std::to_string(row.since.time_since_epoch().count()) + ' ' + std::string(row.url) + ' ' +
         std::string(row.address);
}

// Room for one more.
void tidy(index::Batch& batch, base::WallTime now) {
  std::vector<std::pair<base::WallTime, std::string>> rows;
  for (auto& note : index::notes(batch, scope, {}, 2 * most)) {
    const auto row = read_row(note.value);
    rows.emplace_back(row ? row->since : base::WallTime{}, std::move(note.key));
  }
  std::ranges::sort(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool old = rows[i].first < now - kept_for || rows.size() - i >= most;
    if (old) index::erase_note(batch, scope, rows[i].second);
  }
}

}  // namespace

// Of a fixed length, whatever names there are.
std::string UploadNotes::name_of(const UploadKey& key) const {
  const auto text =
      memory_.owner + '\n' + asker_->name() + '\n' + key.first.text() + '\n' + key.second.text();
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text)).hex();
}

async::Task<> UploadNotes::keep(UploadKey key, Upload::Place place) {
  const auto& url = asker_->url(place.url);
  const auto address = place.address.text();
  if (memory_.index == nullptr || address.size() > longest_address ||
      place.address.origin() != url.origin()) {
    co_return;
  }
  const auto now = clock_.wall();
  const auto row = write_row({.since = now, .url = url.text(), .address = address});
  try {
    co_await memory_.index->write([&](index::Batch& batch) {
      tidy(batch, now);
      index::set_note(batch, scope, name_of(key), row);
    });
  } catch (const index::IndexFull& full) {
    // The push itself needs no index.
    base::log::warn("an upload to another registry would begin anew after a restart",
                    {{"registry", asker_->name()}, {"error", full.what()}});
  }
}

async::Task<std::optional<Upload::Place>> UploadNotes::find(UploadKey key) {
  if (memory_.index == nullptr) co_return std::nullopt;
  const auto text = co_await memory_.index->read(
      [&](const index::View& view) { return index::note(view, scope, name_of(key)); });
  const auto row = text ? read_row(*text) : std::nullopt;
  if (!row || row->since < clock_.wall() - kept_for) co_return std::nullopt;
  for (std::size_t url = 0; url < asker_->urls(); ++url) {
    if (asker_->url(url).text() != row->url) continue;
    auto address = http::parse_url(row->address);
    if (!address || address->origin() != asker_->url(url).origin()) break;
    co_return Upload::Place{.url = url, .address = std::move(*address)};
  }
  co_return std::nullopt;
}

async::Task<> UploadNotes::forget(UploadKey key) {
  if (memory_.index == nullptr) co_return;
  co_await memory_.index->write(
      [&](index::Batch& batch) { index::erase_note(batch, scope, name_of(key)); });
}

}  // namespace entrepot::upstream
