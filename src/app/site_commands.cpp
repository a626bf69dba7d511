// The verbs that keep sites in step.
#include "app/command_verbs.hpp"

namespace entrepot::app {
namespace {

void add_rules(CLI::App& app, Command& command) {
  auto sync = std::make_shared<commands::Sync>();
  auto& running = add_verb(app, "sync", "run a rule of replication now", command, sync);
  running.add_option("RULE", sync->rule)->required();
  running.add_flag_callback(
      "--dry-run,-d", [sync] { sync->trial = replication::Trial::dry; },
      "change nothing, say what would be done");
  add_place(running, sync->place);
  add_output(running, sync->output);

  auto peers = std::make_shared<commands::ListPeers>();
  auto& listing = add_verb(app, "peers", "whether they can be reached", command, peers);
  add_place(listing, peers->place);
  add_output(listing, peers->output);

  auto status = std::make_shared<commands::ShowReplication>();
  auto& showing = add_verb(app, "replication", "how the rules stand", command, status);
  showing.add_flag_callback(
      "--waiting", [status] { status->what = commands::ShowReplication::What::waiting; },
      "what failed and is tried again");
  add_place(showing, status->place);
  add_output(showing, status->output);
}

void add_warm(CLI::App& app, Command& command) {
  auto told = std::make_shared<commands::Warm>();
  auto& verb = add_verb(app, "warm", "fetch images before anybody asks for them", command, told);
  verb.add_option("IMAGE", told->images, "as docker pull takes it; repeatable");
  verb.add_option("--file", told->list, "a list of images, a line each; - is standard input")
      ->type_name("FILE");
  verb.add_option("--from-kubernetes-list", told->kubernetes_list,
                  "what `kubectl get pods -A -o json` prints; - is standard input")
      ->type_name("FILE");
  verb.add_option("--platform", told->platforms, "os/architecture; repeatable; else all")
      ->type_name("PLATFORM")
      ->allow_extra_args(false);
  verb.add_flag("--referrers", told->referrers, "signatures and SBOMs, too");
  add_place(verb, told->place);
  add_output(verb, told->output);
}

void add_creation(CLI::App& bundle, Command& command) {
  auto told = std::make_shared<commands::CreateBundle>();
  auto& verb = add_verb(bundle, "create", "write images as volumes to be carried", command, told);
  verb.add_option("DIR", told->directory, "made when it is not there")->required();
  verb.add_option("IMAGE", told->images, "REPOSITORY[:TAG|@DIGEST]; repeatable");
  verb.add_option("--rule", told->rule, "what a rule covers")->type_name("RULE");
  verb.add_option("--for", told->want, "leave out what the site of this want-file holds")
      ->type_name("WANT");
  verb.add_option("--again", told->again, "only what this file of `bundle apply --ask` names")
      ->type_name("ASK");
  verb.add_option("--volume-size", told->volume_size, "of each file, such as 650MiB")
      ->type_name("SIZE");
  verb.add_option("--parity", told->parity, "so many volumes may be lost")->type_name("N");
  add_place(verb, told->place);
  add_output(verb, told->output);
}

void add_bundles(CLI::App& app, Command& command) {
  auto* bundle = app.add_subcommand("bundle", "images carried to where no line leads");
  bundle->require_subcommand(1);
  auto want = std::make_shared<commands::WriteWant>();
  auto& wanting = add_verb(*bundle, "want",
                           "write down what is here, for who makes a bundle for us", command, want);
  wanting.add_option("FILE", want->file)->required();
  wanting.add_option("--repository", want->repositories, "only of these; repeatable")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  add_place(wanting, want->place);
  add_output(wanting, want->output);

  add_creation(*bundle, command);

  auto apply = std::make_shared<commands::ApplyBundle>();
  auto& applying = add_verb(*bundle, "apply", "take in the volumes of bundles", command, apply);
  applying.add_option("PATH", apply->paths, "files, or directories of them");
  applying.add_option("--ask", apply->ask, "write what to ask for when something is missing")
      ->type_name("FILE");
  applying.add_option("--abandon", apply->abandon, "forget what was kept of a bundle")
      ->type_name("ID");
  add_place(applying, apply->place);
  add_output(applying, apply->output);

  auto key = std::make_shared<commands::ShowKey>();
  auto& showing = add_verb(*bundle, "key", "the public key of this site", command, key);
  add_place(showing, key->place);
  add_output(showing, key->output);
}

}  // namespace

void add_site_commands(CLI::App& app, Command& command) {
  add_rules(app, command);
  add_warm(app, command);
  add_bundles(app, command);
}

}  // namespace entrepot::app
