
use builtin;
use str;

set edit:completion:arg-completer[oauthctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'oauthctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'oauthctl'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand login 'Sign in and keep the tokens'
            cand token 'Print a fresh access token, and nothing else'
            cand refresh 'Renew the token now'
            cand call 'Send a request to the provider''s API with the token'
            cand whoami 'Ask the provider whose token it is'
            cand register 'Make a client at a provider that takes registrations, look at it, end it'
            cand logout 'Revoke where the provider can, then forget the tokens'
            cand list 'List the profiles and how their tokens stand'
            cand status 'Show one profile in full, and what will happen next'
            cand provider 'The providers that are known'
            cand profile 'Change profiles without an editor'
            cand doctor 'Look at store, clock, network, browser, listener and configuration, and say what to do'
            cand sandbox 'A practice authorization server, built in'
            cand completions 'Print the completions for a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;login'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --redirect-uri 'The redirect address as you registered it; one that isn''t on this machine is pasted back'
            cand --port 'The port to listen on'
            cand --timeout 'How long to wait for the sign-in: `90s`, `5m` [default: 5m]'
            cand --login-hint 'Who is to sign in, as the provider knows them'
            cand --prompt '`login`, `consent`, `select_account` or `none`; several with blanks between'
            cand --max-age 'Ask for the password again if that was longer ago, in seconds'
            cand --acr-values 'How the person is to prove who they are'
            cand --ui-locales 'Languages for the provider''s pages (`de en`)'
            cand --authorization-details 'What exactly is asked for, as JSON (RFC 9396); `@FILE` reads it from a file'
            cand --response-mode 'How the answer comes back'
            cand --par 'Push the request to the provider first (RFC 9126): `auto`, `true` or `false`'
            cand --request-object 'Sign the request with the client''s key (RFC 9101): `auto`, `true` or `false`'
            cand --username 'Your name at the provider (`--grant password`)'
            cand --password-file 'A file with your password (`--grant password`); `-` reads it from standard input'
            cand --binding-message 'What both devices show (`--grant ciba`)'
            cand --id-token-hint-file 'A file with an ID token that says who is asked (`--grant ciba`)'
            cand --login-hint-token-file 'A file with a token that says who is asked (`--grant ciba`)'
            cand --requested-expiry 'How long the question is to stand, in seconds (`--grant ciba`)'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand --no-browser 'Print the address, but open no browser'
            cand --register 'Register this program where the provider takes registrations and no client id is known; do not ask first'
            cand --no-register 'Never register this program anywhere'
            cand --explain 'Tell each step as it happens, with the RFC''s section; secrets as fingerprints'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;token'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --format 'How it is printed'
            cand --min-ttl 'Ask for a token that is valid for at least so long: `60s`, `5m`, `2h`'
            cand --method 'With `--format dpop-proof`: the method of the request that the proof is for [default: GET]'
            cand --url 'With `--format dpop-proof`: the address of that request'
            cand --nonce 'With `--format dpop-proof`: the nonce that the API asked for'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand --force-refresh 'Renew even a fresh token'
            cand --no-refresh 'Print what is stored if it is still valid; never renew'
            cand --explain 'Tell each step as it happens, with the RFC''s section; secrets as fingerprints'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;refresh'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand --all 'Renew every profile that has a token'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;call'= {
            cand -X 'The method, as an option'
            cand --method 'The method, as an option'
            cand -H 'A header, `Name: value`; may be given several times'
            cand --header 'A header, `Name: value`; may be given several times'
            cand -d 'The request''s body: a text, `@FILE`, or `-` for standard input'
            cand --data 'The request''s body: a text, `@FILE`, or `-` for standard input'
            cand --input 'The request''s body from a file, or `-` for standard input, sent as it is read'
            cand --timeout 'The most time until the answer begins'
            cand --retry 'How often a request that may be repeated is sent again after 429, 502, 503, 504 or a broken connection; 0 is never'
            cand -o 'Into a file, which is there whole or not at all; a download that broke off goes on where it stopped'
            cand --output 'Into a file, which is there whole or not at all; a download that broke off goes on where it stopped'
            cand --jq 'Filter the answer with an expression of jq''s; with `--paginate` each record, with `--slurp` all of them as one array'
            cand --format 'How values are printed'
            cand --limit 'The most records'
            cand --parallel 'Pages fetched at a time where their addresses are known beforehand (the provider''s limit; 32 at most)'
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --error-format 'How errors are written'
            cand --form 'The items make a form, not JSON'
            cand --json 'The items make JSON (which they do anyway), `{}` where there are none'
            cand --anywhere 'Send to any host; to one that isn''t the provider''s without the token'
            cand -i 'Print the answer''s status and headers too'
            cand --include 'Print the answer''s status and headers too'
            cand --head 'Print status and headers alone, of a HEAD request unless another method is given'
            cand -r 'Texts without their quotes'
            cand --raw-output 'Texts without their quotes'
            cand --paginate 'Follow the list through all its pages, a record to a line'
            cand --slurp 'All records as one array'
            cand --dry-run 'Send nothing; print the request as a line for curl, with the token fetched when it runs'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;whoami'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --format 'How it is printed'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;register'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --name 'The name that the provider shows when it asks for consent'
            cand --redirect-uri 'The redirect address to register [default: this machine''s loopback]'
            cand --port 'The port to listen on'
            cand --initial-access-token-file 'A file with the token that some servers want for a registration; `-` reads it from standard input'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand --show 'Show what the server holds'
            cand --update 'Send name, redirect address and grants again'
            cand --delete 'End the registration at the server, and forget it'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;logout'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand --all 'Every profile'
            cand --local-only 'Forget here, and leave the provider alone'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;list'= {
            cand --format 'How it is printed'
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;status'= {
            cand --provider 'The provider of a new profile: a name, see `oauthctl provider list`'
            cand --environment 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`'
            cand --var 'A value that the provider needs to know (`domain=…`); may be given several times'
            cand --grant 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`'
            cand --scope 'A scope to ask for; may be given several times'
            cand --client-id 'The client id of your app'
            cand --client-secret-file 'A file with the client secret; `-` reads it from standard input'
            cand --param 'An extra parameter of the authorize request; may be given several times'
            cand --store 'Where the tokens rest: `keychain`, `file`, `environment` or `none`'
            cand --auth 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`'
            cand --client-key-file 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input'
            cand --client-certificate 'A file with the client''s certificate, and those that lead to its authority: PEM'
            cand --assertion-audience 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL'
            cand --resource 'Where the token will be used, a URL (RFC 8707); may be given several times'
            cand --audience 'For whom the token is (RFC 8693); may be given several times'
            cand --assertion-file 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input'
            cand --subject 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)'
            cand --assertion-issuer 'Who makes that assertion [default: the client id]'
            cand --subject-token-file 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input'
            cand --subject-token-type 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]'
            cand --subject-profile 'Exchange the token of this other profile'
            cand --actor-token-file 'A file with the token of whoever acts for the subject'
            cand --actor-token-type 'Its type [default: access_token]'
            cand --requested-token-type 'The type of token wanted'
            cand --format 'How it is printed'
            cand --error-format 'How errors are written'
            cand --dpop 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;provider'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand list 'Name every provider: built in, and your own'
            cand show 'Print all that is known of a provider, as the TOML file that describes it'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;provider;list'= {
            cand --error-format 'How errors are written'
            cand --json 'One JSON array instead of lines'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;provider;show'= {
            cand --environment 'As it is in one of its environments (`max`, …)'
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;provider;help'= {
            cand list 'Name every provider: built in, and your own'
            cand show 'Print all that is known of a provider, as the TOML file that describes it'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;provider;help;list'= {
        }
        &'oauthctl;provider;help;show'= {
        }
        &'oauthctl;provider;help;help'= {
        }
        &'oauthctl;profile'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand set 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
            cand set-secret 'Keep a client secret in the store, read from a file or (`-`) from standard input'
            cand unset 'Take a key away'
            cand default 'Make a profile the one that is meant when none is named'
            cand remove 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
            cand rename 'Give a profile another name; its tokens come along'
            cand names 'Name the profiles, a line each'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;profile;set'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;set-secret'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;unset'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;default'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;remove'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;rename'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;names'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;profile;help'= {
            cand set 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
            cand set-secret 'Keep a client secret in the store, read from a file or (`-`) from standard input'
            cand unset 'Take a key away'
            cand default 'Make a profile the one that is meant when none is named'
            cand remove 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
            cand rename 'Give a profile another name; its tokens come along'
            cand names 'Name the profiles, a line each'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;profile;help;set'= {
        }
        &'oauthctl;profile;help;set-secret'= {
        }
        &'oauthctl;profile;help;unset'= {
        }
        &'oauthctl;profile;help;default'= {
        }
        &'oauthctl;profile;help;remove'= {
        }
        &'oauthctl;profile;help;rename'= {
        }
        &'oauthctl;profile;help;names'= {
        }
        &'oauthctl;profile;help;help'= {
        }
        &'oauthctl;doctor'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;sandbox'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Serve the manners of a provider on loopback until interrupted, for others to test against'
            cand run 'Run a command in whose environment the built-in providers point at practice servers'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;sandbox;serve'= {
            cand --as '`sandbox`, `getresponse`, `verticalresponse`, `verticalresponse-vr2` or `constantcontact`'
            cand --port 'The port; any free one if none is given'
            cand --redirect-uri 'A redirect URL registered for the practice app beside the usual ones; may be given several times'
            cand --access-life 'How long an access token lives'
            cand --latency 'How long each answer takes'
            cand --error-format 'How errors are written'
            cand --claims-only 'Leave lifetime and scopes out of the token answer, where the token''s own claims tell them (Constant Contact)'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;sandbox;run'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;sandbox;help'= {
            cand serve 'Serve the manners of a provider on loopback until interrupted, for others to test against'
            cand run 'Run a command in whose environment the built-in providers point at practice servers'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;sandbox;help;serve'= {
        }
        &'oauthctl;sandbox;help;run'= {
        }
        &'oauthctl;sandbox;help;help'= {
        }
        &'oauthctl;completions'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;man'= {
            cand --error-format 'How errors are written'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --verbose 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public'
            cand --no-cache 'Do without the kernel''s copy of the access token'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'oauthctl;help'= {
            cand login 'Sign in and keep the tokens'
            cand token 'Print a fresh access token, and nothing else'
            cand refresh 'Renew the token now'
            cand call 'Send a request to the provider''s API with the token'
            cand whoami 'Ask the provider whose token it is'
            cand register 'Make a client at a provider that takes registrations, look at it, end it'
            cand logout 'Revoke where the provider can, then forget the tokens'
            cand list 'List the profiles and how their tokens stand'
            cand status 'Show one profile in full, and what will happen next'
            cand provider 'The providers that are known'
            cand profile 'Change profiles without an editor'
            cand doctor 'Look at store, clock, network, browser, listener and configuration, and say what to do'
            cand sandbox 'A practice authorization server, built in'
            cand completions 'Print the completions for a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oauthctl;help;login'= {
        }
        &'oauthctl;help;token'= {
        }
        &'oauthctl;help;refresh'= {
        }
        &'oauthctl;help;call'= {
        }
        &'oauthctl;help;whoami'= {
        }
        &'oauthctl;help;register'= {
        }
        &'oauthctl;help;logout'= {
        }
        &'oauthctl;help;list'= {
        }
        &'oauthctl;help;status'= {
        }
        &'oauthctl;help;provider'= {
            cand list 'Name every provider: built in, and your own'
            cand show 'Print all that is known of a provider, as the TOML file that describes it'
        }
        &'oauthctl;help;provider;list'= {
        }
        &'oauthctl;help;provider;show'= {
        }
        &'oauthctl;help;profile'= {
            cand set 'Set a key of a profile: `oauthctl profile set work scopes "a b"`'
            cand set-secret 'Keep a client secret in the store, read from a file or (`-`) from standard input'
            cand unset 'Take a key away'
            cand default 'Make a profile the one that is meant when none is named'
            cand remove 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing'
            cand rename 'Give a profile another name; its tokens come along'
            cand names 'Name the profiles, a line each'
        }
        &'oauthctl;help;profile;set'= {
        }
        &'oauthctl;help;profile;set-secret'= {
        }
        &'oauthctl;help;profile;unset'= {
        }
        &'oauthctl;help;profile;default'= {
        }
        &'oauthctl;help;profile;remove'= {
        }
        &'oauthctl;help;profile;rename'= {
        }
        &'oauthctl;help;profile;names'= {
        }
        &'oauthctl;help;doctor'= {
        }
        &'oauthctl;help;sandbox'= {
            cand serve 'Serve the manners of a provider on loopback until interrupted, for others to test against'
            cand run 'Run a command in whose environment the built-in providers point at practice servers'
        }
        &'oauthctl;help;sandbox;serve'= {
        }
        &'oauthctl;help;sandbox;run'= {
        }
        &'oauthctl;help;completions'= {
        }
        &'oauthctl;help;man'= {
        }
        &'oauthctl;help;help'= {
        }
    ]
    $completions[$command]
}
