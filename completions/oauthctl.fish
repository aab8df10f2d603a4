# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_oauthctl_global_optspecs
    string join \n q/quiet v/verbose error-format= no-cache h/help V/version
end

function __fish_oauthctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_oauthctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_oauthctl_using_subcommand
    set -l cmd (__fish_oauthctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c oauthctl -n "__fish_oauthctl_needs_command" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_needs_command" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "login" -d 'Sign in and keep the tokens'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "token" -d 'Print a fresh access token, and nothing else'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "refresh" -d 'Renew the token now'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "call" -d 'Send a request to the provider\'s API with the token'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "whoami" -d 'Ask the provider whose token it is'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "userinfo" -d 'Print what the provider tells of whoever signed in (OpenID Connect)'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "introspect" -d 'Ask the provider what it knows of the token'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "inspect" -d 'Decode a JWT and say what is wrong with it; nothing is sent anywhere'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "register" -d 'Make a client at a provider that takes registrations, look at it, end it'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "logout" -d 'Revoke where the provider can, then forget the tokens'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "list" -d 'List the profiles and how their tokens stand'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "status" -d 'Show one profile in full, and what will happen next'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "provider" -d 'The providers that are known'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "profile" -d 'Change profiles without an editor'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "doctor" -d 'Look at store, clock, network, browser, listener and configuration, and say what to do'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "sandbox" -d 'A practice authorization server, built in'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "man" -d 'Print the manual page'
complete -c oauthctl -n "__fish_oauthctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l redirect-uri -d 'The redirect address as you registered it; one that isn\'t on this machine is pasted back' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l port -d 'The port to listen on' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l timeout -d 'How long to wait for the sign-in: `90s`, `5m` [default: 5m]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l login-hint -d 'Who is to sign in, as the provider knows them' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l prompt -d '`login`, `consent`, `select_account` or `none`; several with blanks between' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l max-age -d 'Ask for the password again if that was longer ago, in seconds' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l acr-values -d 'How the person is to prove who they are' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l ui-locales -d 'Languages for the provider\'s pages (`de en`)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l authorization-details -d 'What exactly is asked for, as JSON (RFC 9396); `@FILE` reads it from a file' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l response-mode -d 'How the answer comes back' -r -f -a "query\t''
form_post\t''
jwt\t''
query.jwt\t''
form_post.jwt\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l par -d 'Push the request to the provider first (RFC 9126): `auto`, `true` or `false`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l request-object -d 'Sign the request with the client\'s key (RFC 9101): `auto`, `true` or `false`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l username -d 'Your name at the provider (`--grant password`)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l password-file -d 'A file with your password (`--grant password`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l binding-message -d 'What both devices show (`--grant ciba`)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l id-token-hint-file -d 'A file with an ID token that says who is asked (`--grant ciba`)' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l login-hint-token-file -d 'A file with a token that says who is asked (`--grant ciba`)' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l requested-expiry -d 'How long the question is to stand, in seconds (`--grant ciba`)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l no-browser -d 'Print the address, but open no browser'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l register -d 'Register this program where the provider takes registrations and no client id is known; do not ask first'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l no-register -d 'Never register this program anywhere'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l explain -d 'Tell each step as it happens, with the RFC\'s section; secrets as fingerprints'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand login" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l format -d 'How it is printed' -r -f -a "text\t'The token and a newline'
json\t'An object with the token, its type, expiry and scopes'
header\t'`Authorization: Bearer …`'
env\t'`OAUTHCTL_<PROFILE>_TOKEN=…`, for `env` and `eval`'
curl\t'A configuration for `curl -K -`'
netrc\t'An entry for `.netrc`, for the provider\'s API host'
exec-credential\t'Kubernetes\' client authentication plugin'
dpop-proof\t'The proof that goes with a token that is bound to a key, for one request (`--method`, `--url`): the `DPoP` header'"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l min-ttl -d 'Ask for a token that is valid for at least so long: `60s`, `5m`, `2h`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l method -d 'With `--format dpop-proof`: the method of the request that the proof is for [default: GET]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l url -d 'With `--format dpop-proof`: the address of that request' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l nonce -d 'With `--format dpop-proof`: the nonce that the API asked for' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l force-refresh -d 'Renew even a fresh token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l no-refresh -d 'Print what is stored if it is still valid; never renew'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l explain -d 'Tell each step as it happens, with the RFC\'s section; secrets as fingerprints'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand token" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l all -d 'Renew every profile that has a token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand refresh" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s X -l method -d 'The method, as an option' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s H -l header -d 'A header, `Name: value`; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s d -l data -d 'The request\'s body: a text, `@FILE`, or `-` for standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l input -d 'The request\'s body from a file, or `-` for standard input, sent as it is read' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l timeout -d 'The most time until the answer begins' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l retry -d 'How often a request that may be repeated is sent again after 429, 502, 503, 504 or a broken connection; 0 is never' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s o -l output -d 'Into a file, which is there whole or not at all; a download that broke off goes on where it stopped' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l jq -d 'Filter the answer with an expression of jq\'s; with `--paginate` each record, with `--slurp` all of them as one array' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l format -d 'How values are printed' -r -f -a "table\t'Columns, for people'
json\t'A value to a line; on a terminal pretty, in colour'
csv\t''
tsv\t''
yaml\t''
raw\t'The answer\'s bytes as they came'"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l limit -d 'The most records' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l parallel -d 'Pages fetched at a time where their addresses are known beforehand (the provider\'s limit; 32 at most)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l form -d 'The items make a form, not JSON'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l json -d 'The items make JSON (which they do anyway), `{}` where there are none'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l anywhere -d 'Send to any host; to one that isn\'t the provider\'s without the token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s i -l include -d 'Print the answer\'s status and headers too'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l head -d 'Print status and headers alone, of a HEAD request unless another method is given'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s r -l raw-output -d 'Texts without their quotes'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l paginate -d 'Follow the list through all its pages, a record to a line'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l slurp -d 'All records as one array'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l dry-run -d 'Send nothing; print the request as a line for curl, with the token fetched when it runs'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand call" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l format -d 'How it is printed' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand whoami" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand userinfo" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l refresh-token -d 'Ask about the refresh token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l signed -d 'Take nothing but a signed answer (RFC 9701)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand introspect" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -l signed-for -d 'For a token that is given: the profile whose provider may have signed it' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -l format -d 'How it is printed' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -l id-token -d 'The profile\'s ID token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l name -d 'The name that the provider shows when it asks for consent' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l redirect-uri -d 'The redirect address to register [default: this machine\'s loopback]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l port -d 'The port to listen on' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l initial-access-token-file -d 'A file with the token that some servers want for a registration; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l show -d 'Show what the server holds'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l update -d 'Send name, redirect address and grants again'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l delete -d 'End the registration at the server, and forget it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand register" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l all -d 'Every profile'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l local-only -d 'Forget here, and leave the provider alone'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand logout" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -l format -d 'How it is printed' -r -f -a "table\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand list" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l provider -d 'The provider of a new profile: a name, see `oauthctl provider list`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l environment -d 'The provider\'s environment (`max` of GetResponse, …), see `oauthctl provider show`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l var -d 'A value that the provider needs to know (`domain=…`); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l grant -d 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l scope -d 'A scope to ask for; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l client-id -d 'The client id of your app' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l client-secret-file -d 'A file with the client secret; `-` reads it from standard input' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l param -d 'An extra parameter of the authorize request; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l store -d 'Where the tokens rest: `keychain`, `file`, `environment` or `none`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l auth -d 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l client-key-file -d 'A file with the client\'s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l client-certificate -d 'A file with the client\'s certificate, and those that lead to its authority: PEM' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l assertion-audience -d 'The audience of the client\'s assertions: `token-endpoint` (the default), `issuer` or a URL' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l resource -d 'Where the token will be used, a URL (RFC 8707); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l audience -d 'For whom the token is (RFC 8693); may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l assertion-file -d 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l subject -d 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l assertion-issuer -d 'Who makes that assertion [default: the client id]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l subject-token-file -d 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l subject-token-type -d 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l subject-profile -d 'Exchange the token of this other profile' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l actor-token-file -d 'A file with the token of whoever acts for the subject' -r -F
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l actor-token-type -d 'Its type [default: access_token]' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l requested-token-type -d 'The type of token wanted' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l format -d 'How it is printed' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l allow-private -d 'Discover a provider at an address of this network\'s own services too (`169.254.…`, `fe80::…`, a cloud\'s metadata)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l dpop -d 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can\'t use it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand status" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -f -a "list" -d 'Name every provider: built in, and your own'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -f -a "show" -d 'Print all that is known of a provider, as the TOML file that describes it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and not __fish_seen_subcommand_from list show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -l format -d 'How they are printed' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -l json -d 'The same as `--format json`: one array'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -l environment -d 'As it is in one of its environments (`max`, …)' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from help" -f -a "list" -d 'Name every provider: built in, and your own'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print all that is known of a provider, as the TOML file that describes it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand provider; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "set" -d 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "set-secret" -d 'Keep a client secret in the store, read from a file or (`-`) from standard input'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "unset" -d 'Take a key away'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "default" -d 'Make a profile the one that is meant when none is named'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "remove" -d 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "rename" -d 'Give a profile another name; its tokens come along'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "names" -d 'Name the profiles, a line each'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and not __fish_seen_subcommand_from set set-secret unset default remove rename names help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from set-secret" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from unset" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from default" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from rename" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from names" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "set" -d 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "set-secret" -d 'Keep a client secret in the store, read from a file or (`-`) from standard input'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "unset" -d 'Take a key away'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "default" -d 'Make a profile the one that is meant when none is named'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "rename" -d 'Give a profile another name; its tokens come along'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "names" -d 'Name the profiles, a line each'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand profile; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -f -a "serve" -d 'Serve the manners of a provider on loopback until interrupted, for others to test against'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -f -a "run" -d 'Run a command in whose environment the built-in providers point at practice servers'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l as -d '`sandbox`, `getresponse`, `verticalresponse`, `verticalresponse-vr2` or `constantcontact`' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l port -d 'The port; any free one if none is given' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l redirect-uri -d 'A redirect URL registered for the practice app beside the usual ones; may be given several times' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l access-life -d 'How long an access token lives' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l latency -d 'How long each answer takes' -r
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l claims-only -d 'Leave lifetime and scopes out of the token answer, where the token\'s own claims tell them (Constant Contact)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "serve" -d 'Serve the manners of a provider on loopback until interrupted, for others to test against'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "run" -d 'Run a command in whose environment the built-in providers point at practice servers'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand completions" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -l error-format -d 'How errors are written' -r -f -a "text\t''
json\t''"
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -s q -l quiet -d 'Say nothing but errors'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -s v -l verbose -d 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -l no-cache -d 'Do without the kernel\'s copy of the access token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -s h -l help -d 'Print help'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand man" -s V -l version -d 'Print version'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "login" -d 'Sign in and keep the tokens'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "token" -d 'Print a fresh access token, and nothing else'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "refresh" -d 'Renew the token now'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "call" -d 'Send a request to the provider\'s API with the token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "whoami" -d 'Ask the provider whose token it is'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "userinfo" -d 'Print what the provider tells of whoever signed in (OpenID Connect)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "introspect" -d 'Ask the provider what it knows of the token'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "inspect" -d 'Decode a JWT and say what is wrong with it; nothing is sent anywhere'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "register" -d 'Make a client at a provider that takes registrations, look at it, end it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "logout" -d 'Revoke where the provider can, then forget the tokens'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "list" -d 'List the profiles and how their tokens stand'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "status" -d 'Show one profile in full, and what will happen next'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "provider" -d 'The providers that are known'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "profile" -d 'Change profiles without an editor'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "doctor" -d 'Look at store, clock, network, browser, listener and configuration, and say what to do'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "sandbox" -d 'A practice authorization server, built in'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "completions" -d 'Print the completions for a shell'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "man" -d 'Print the manual page'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and not __fish_seen_subcommand_from login token refresh call whoami userinfo introspect inspect register logout list status provider profile doctor sandbox completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from provider" -f -a "list" -d 'Name every provider: built in, and your own'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from provider" -f -a "show" -d 'Print all that is known of a provider, as the TOML file that describes it'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "set" -d 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "set-secret" -d 'Keep a client secret in the store, read from a file or (`-`) from standard input'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "unset" -d 'Take a key away'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "default" -d 'Make a profile the one that is meant when none is named'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "remove" -d 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "rename" -d 'Give a profile another name; its tokens come along'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from profile" -f -a "names" -d 'Name the profiles, a line each'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "serve" -d 'Serve the manners of a provider on loopback until interrupted, for others to test against'
complete -c oauthctl -n "__fish_oauthctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "run" -d 'Run a command in whose environment the built-in providers point at practice servers'
