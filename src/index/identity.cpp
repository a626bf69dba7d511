// journal.hpp: who this site is, and which Journal this is.
#include <sys/random.h>

#include <array>

#include "entrepot/base/unique_fd.hpp"
#include "entrepot/index/journal.hpp"
#include "index/keys.hpp"

namespace entrepot::index {
namespace {

std::string text_row(const View& view, std::string_view row) {
  const auto value = view.get(Space::meta, base::as_bytes(row));
  return value ? std::string(base::as_text(*value)) : std::string();
}

std::string new_id() {
  std::array<std::byte, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("getrandom");
  }
  return base::to_hex(bytes);
}

}  // namespace

std::string site_id(const View& view) { return text_row(view, site_row); }

std::string journal_id(const View& view) { return text_row(view, journal_id_row); }

void found_site(Batch& batch) {
  if (site_id(batch).empty())
    batch.put(Space::meta, base::as_bytes(site_row), base::as_bytes(new_id()));
  if (journal_id(batch).empty()) renew_journal(batch);
}

void renew_journal(Batch& batch) {
  batch.put(Space::meta, base::as_bytes(journal_id_row), base::as_bytes(new_id()));
}

}  // namespace entrepot::index
