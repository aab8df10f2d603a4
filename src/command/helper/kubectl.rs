//! A client authentication plugin of Kubernetes (client-go), for kubectl, helm, k9s and others.

use clap::Args;

use super::chosen::ForIdentity;
use crate::command::exec_credential::Caller;
use crate::command::{Global, print};
use crate::error::{Error, Kind};
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The ID token goes to a cluster that the profile names in `helper-hosts`, and to the API of the login.
A cluster whose certificate isn't checked (`insecure-skip-tls-verify`) gets none; which authority
proves it, and through which proxy it is reached, is kubeconfig's to say. Without `--profile` the
cluster's own configuration may name one: `profile` in the extension
`client.authentication.k8s.io/exec`.

To set it up:
  oauthctl profile set work helper-hosts k8s.example.com:6443
  oauthctl helper install kubectl --profile work
  kubectl config set-context --current --user=oauthctl-work

Examples:
  oauthctl helper kubectl --profile work"
)]
pub struct KubectlArgs {
    #[command(flatten)]
    who: ForIdentity,
}

pub fn run(args: &KubectlArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let caller = Caller::read(world)?;
    let Some(cluster) = caller.cluster() else {
        return Err(Error::usage("kubectl doesn't say for which cluster it wants a token")
            .hint("set `provideClusterInfo: true` beside `command: oauthctl` in kubeconfig"));
    };
    if cluster.insecure_skip_tls_verify {
        let server = safe(&cluster.server);
        return Err(Error::new(
            Kind::Unsafe,
            format!("nothing proves that `{server}` is the cluster: it gets no token"),
        )
        .hint("replace `insecure-skip-tls-verify` with `certificate-authority-data` in kubeconfig"));
    }
    match args.who.chosen(cluster.profile()).at(world, global, &cluster.server)? {
        Some(set) => print(world, caller.credential(&set).as_bytes()).map(|()| 0),
        None => Ok(1),
    }
}
