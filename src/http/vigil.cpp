#include "http/vigil.hpp"

#include <boost/asio/io_context.hpp>

namespace entrepot::http {

Vigil::Vigil(Conn& conn, Sentinel& sentinel) : conn_(conn), sentinel_(sentinel) {
  sentinel_.enter(*this);
}

Vigil::~Vigil() { sentinel_.leave(*this); }

void Vigil::await(Awaiting what, std::chrono::milliseconds limit) {
  awaiting_ = what;
  limit_ = limit;
  if (what == Awaiting::nothing || what == Awaiting::content) return;
  until_ = std::chrono::steady_clock::now() + limit;
  if (what == Awaiting::reader) acknowledged_ = conn_.handed_over();
}

void Vigil::dismiss() {
  if (awaiting_ == Awaiting::next_request) conn_.cancel();
}

void Vigil::look(Time now) {
  if (awaiting_ == Awaiting::nothing) return;
  if (awaiting_ == Awaiting::content) return look_for_client();
  if (keeps_pace(now) && now < until_) return;
  // Again at the next look if need be: the connection may be between two waits just now.
  expired_ = true;
  conn_.cancel();
}

bool Vigil::keeps_pace(Time now) {
  if (awaiting_ == Awaiting::body) return pace_.keeps(sentinel_.pace_, conn_.received());
  if (awaiting_ != Awaiting::reader) return true;
  // What counts is what the peer's kernel acknowledged: a slow reader behind a large send buffer
  // may not let us write anything for longer than the limit.
  const auto acknowledged = conn_.acknowledged();
  if (acknowledged != acknowledged_) {
    acknowledged_ = acknowledged;
    until_ = now + limit_;
  }
  return pace_.keeps(sentinel_.pace_, acknowledged);
}

void Vigil::look_for_client() {
  if (!conn_.peer_left()) return;
  awaiting_ = Awaiting::nothing;
  client_left_ = true;
  signal_.emit(async::asio::cancellation_type::terminal);
}

Sentinel::Sentinel(async::asio::io_context& context, std::chrono::milliseconds interval,
                   PaceRule pace)
    : timer_(context), interval_(interval), pace_(pace) {}

void Sentinel::dismiss_idle() {
  for (auto* vigil : vigils_) vigil->dismiss();
}

void Sentinel::dismiss_longest_idle() {
  Vigil* longest = nullptr;
  for (auto* vigil : vigils_) {
    if (vigil->awaiting_ != Awaiting::next_request) continue;
    if (longest == nullptr || vigil->until_ < longest->until_) longest = vigil;
  }
  if (longest != nullptr) longest->dismiss();
}

void Sentinel::enter(Vigil& vigil) {
  vigil.place_ = vigils_.size();
  vigils_.push_back(&vigil);
  if (!scheduled_) schedule();
}

void Sentinel::leave(Vigil& vigil) {
  vigils_.back()->place_ = vigil.place_;
  vigils_[vigil.place_] = vigils_.back();
  vigils_.pop_back();
}

void Sentinel::schedule() {
  scheduled_ = true;
  timer_.expires_after(interval_);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) look_around();
  });
}

void Sentinel::look_around() {
  scheduled_ = false;
  const auto now = std::chrono::steady_clock::now();
  for (auto* vigil : vigils_) vigil->look(now);
  if (!vigils_.empty()) schedule();
}

}  // namespace entrepot::http
