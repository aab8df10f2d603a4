
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'oauthctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'oauthctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'oauthctl' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in and keep the tokens')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Print a fresh access token, and nothing else')
            [CompletionResult]::new('refresh', 'refresh', [CompletionResultType]::ParameterValue, 'Renew the token now')
            [CompletionResult]::new('call', 'call', [CompletionResultType]::ParameterValue, 'Send a request to the provider''s API with the token')
            [CompletionResult]::new('whoami', 'whoami', [CompletionResultType]::ParameterValue, 'Ask the provider whose token it is')
            [CompletionResult]::new('userinfo', 'userinfo', [CompletionResultType]::ParameterValue, 'Print what the provider tells of whoever signed in (OpenID Connect)')
            [CompletionResult]::new('introspect', 'introspect', [CompletionResultType]::ParameterValue, 'Ask the provider what it knows of the token')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Decode a JWT and say what is wrong with it; nothing is sent anywhere')
            [CompletionResult]::new('register', 'register', [CompletionResultType]::ParameterValue, 'Make a client at a provider that takes registrations, look at it, end it')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Revoke where the provider can, then forget the tokens')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the profiles and how their tokens stand')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show one profile in full, and what will happen next')
            [CompletionResult]::new('provider', 'provider', [CompletionResultType]::ParameterValue, 'The providers that are known')
            [CompletionResult]::new('profile', 'profile', [CompletionResultType]::ParameterValue, 'Change profiles without an editor')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look at store, clock, network, browser, listener and configuration, and say what to do')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'A practice authorization server, built in')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;login' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'The redirect address as you registered it; one that isn''t on this machine is pasted back')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the sign-in: `90s`, `5m` [default: 5m]')
            [CompletionResult]::new('--login-hint', '--login-hint', [CompletionResultType]::ParameterName, 'Who is to sign in, as the provider knows them')
            [CompletionResult]::new('--prompt', '--prompt', [CompletionResultType]::ParameterName, '`login`, `consent`, `select_account` or `none`; several with blanks between')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Ask for the password again if that was longer ago, in seconds')
            [CompletionResult]::new('--acr-values', '--acr-values', [CompletionResultType]::ParameterName, 'How the person is to prove who they are')
            [CompletionResult]::new('--ui-locales', '--ui-locales', [CompletionResultType]::ParameterName, 'Languages for the provider''s pages (`de en`)')
            [CompletionResult]::new('--authorization-details', '--authorization-details', [CompletionResultType]::ParameterName, 'What exactly is asked for, as JSON (RFC 9396); `@FILE` reads it from a file')
            [CompletionResult]::new('--response-mode', '--response-mode', [CompletionResultType]::ParameterName, 'How the answer comes back')
            [CompletionResult]::new('--par', '--par', [CompletionResultType]::ParameterName, 'Push the request to the provider first (RFC 9126): `auto`, `true` or `false`')
            [CompletionResult]::new('--request-object', '--request-object', [CompletionResultType]::ParameterName, 'Sign the request with the client''s key (RFC 9101): `auto`, `true` or `false`')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Your name at the provider (`--grant password`)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'A file with your password (`--grant password`); `-` reads it from standard input')
            [CompletionResult]::new('--binding-message', '--binding-message', [CompletionResultType]::ParameterName, 'What both devices show (`--grant ciba`)')
            [CompletionResult]::new('--id-token-hint-file', '--id-token-hint-file', [CompletionResultType]::ParameterName, 'A file with an ID token that says who is asked (`--grant ciba`)')
            [CompletionResult]::new('--login-hint-token-file', '--login-hint-token-file', [CompletionResultType]::ParameterName, 'A file with a token that says who is asked (`--grant ciba`)')
            [CompletionResult]::new('--requested-expiry', '--requested-expiry', [CompletionResultType]::ParameterName, 'How long the question is to stand, in seconds (`--grant ciba`)')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Print the address, but open no browser')
            [CompletionResult]::new('--register', '--register', [CompletionResultType]::ParameterName, 'Register this program where the provider takes registrations and no client id is known; do not ask first')
            [CompletionResult]::new('--no-register', '--no-register', [CompletionResultType]::ParameterName, 'Never register this program anywhere')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Tell each step as it happens, with the RFC''s section; secrets as fingerprints')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;token' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is printed')
            [CompletionResult]::new('--min-ttl', '--min-ttl', [CompletionResultType]::ParameterName, 'Ask for a token that is valid for at least so long: `60s`, `5m`, `2h`')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'With `--format dpop-proof`: the method of the request that the proof is for [default: GET]')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'With `--format dpop-proof`: the address of that request')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'With `--format dpop-proof`: the nonce that the API asked for')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--force-refresh', '--force-refresh', [CompletionResultType]::ParameterName, 'Renew even a fresh token')
            [CompletionResult]::new('--no-refresh', '--no-refresh', [CompletionResultType]::ParameterName, 'Print what is stored if it is still valid; never renew')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Tell each step as it happens, with the RFC''s section; secrets as fingerprints')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;refresh' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Renew every profile that has a token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;call' {
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'The method, as an option')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'The method, as an option')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header, `Name: value`; may be given several times')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header, `Name: value`; may be given several times')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The request''s body: a text, `@FILE`, or `-` for standard input')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'The request''s body: a text, `@FILE`, or `-` for standard input')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'The request''s body from a file, or `-` for standard input, sent as it is read')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time until the answer begins')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'How often a request that may be repeated is sent again after 429, 502, 503, 504 or a broken connection; 0 is never')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Into a file, which is there whole or not at all; a download that broke off goes on where it stopped')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Into a file, which is there whole or not at all; a download that broke off goes on where it stopped')
            [CompletionResult]::new('--jq', '--jq', [CompletionResultType]::ParameterName, 'Filter the answer with an expression of jq''s; with `--paginate` each record, with `--slurp` all of them as one array')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How values are printed')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'The most records')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Pages fetched at a time where their addresses are known beforehand (the provider''s limit; 32 at most)')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--form', '--form', [CompletionResultType]::ParameterName, 'The items make a form, not JSON')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The items make JSON (which they do anyway), `{}` where there are none')
            [CompletionResult]::new('--anywhere', '--anywhere', [CompletionResultType]::ParameterName, 'Send to any host; to one that isn''t the provider''s without the token')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Print the answer''s status and headers too')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Print the answer''s status and headers too')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'Print status and headers alone, of a HEAD request unless another method is given')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Texts without their quotes')
            [CompletionResult]::new('--raw-output', '--raw-output', [CompletionResultType]::ParameterName, 'Texts without their quotes')
            [CompletionResult]::new('--paginate', '--paginate', [CompletionResultType]::ParameterName, 'Follow the list through all its pages, a record to a line')
            [CompletionResult]::new('--slurp', '--slurp', [CompletionResultType]::ParameterName, 'All records as one array')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Send nothing; print the request as a line for curl, with the token fetched when it runs')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;whoami' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is printed')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;userinfo' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;introspect' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--refresh-token', '--refresh-token', [CompletionResultType]::ParameterName, 'Ask about the refresh token')
            [CompletionResult]::new('--signed', '--signed', [CompletionResultType]::ParameterName, 'Take nothing but a signed answer (RFC 9701)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;inspect' {
            [CompletionResult]::new('--signed-for', '--signed-for', [CompletionResultType]::ParameterName, 'For a token that is given: the profile whose provider may have signed it')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is printed')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--id-token', '--id-token', [CompletionResultType]::ParameterName, 'The profile''s ID token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;register' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The name that the provider shows when it asks for consent')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'The redirect address to register [default: this machine''s loopback]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on')
            [CompletionResult]::new('--initial-access-token-file', '--initial-access-token-file', [CompletionResultType]::ParameterName, 'A file with the token that some servers want for a registration; `-` reads it from standard input')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Show what the server holds')
            [CompletionResult]::new('--update', '--update', [CompletionResultType]::ParameterName, 'Send name, redirect address and grants again')
            [CompletionResult]::new('--delete', '--delete', [CompletionResultType]::ParameterName, 'End the registration at the server, and forget it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;logout' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every profile')
            [CompletionResult]::new('--local-only', '--local-only', [CompletionResultType]::ParameterName, 'Forget here, and leave the provider alone')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;list' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is printed')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;status' {
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The provider of a new profile: a name, see `oauthctl provider list`')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The provider''s environment (`max` of GetResponse, …), see `oauthctl provider show`')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A value that the provider needs to know (`domain=…`); may be given several times')
            [CompletionResult]::new('--grant', '--grant', [CompletionResultType]::ParameterName, 'How the token is obtained: `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; may be given several times')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The client id of your app')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'A file with the client secret; `-` reads it from standard input')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'An extra parameter of the authorize request; may be given several times')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where the tokens rest: `keychain`, `file`, `environment` or `none`')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How the client proves who it is: `basic`, `post`, `none`, `client-secret-jwt`, `private-key-jwt`, `tls-client-auth`, `self-signed-tls-client-auth`')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'A file with the client''s private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'A file with the client''s certificate, and those that lead to its authority: PEM')
            [CompletionResult]::new('--assertion-audience', '--assertion-audience', [CompletionResultType]::ParameterName, 'The audience of the client''s assertions: `token-endpoint` (the default), `issuer` or a URL')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Where the token will be used, a URL (RFC 8707); may be given several times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'For whom the token is (RFC 8693); may be given several times')
            [CompletionResult]::new('--assertion-file', '--assertion-file', [CompletionResultType]::ParameterName, 'A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from standard input')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Whom an assertion that is made here speaks about (`jwt-bearer` with a client key)')
            [CompletionResult]::new('--assertion-issuer', '--assertion-issuer', [CompletionResultType]::ParameterName, 'Who makes that assertion [default: the client id]')
            [CompletionResult]::new('--subject-token-file', '--subject-token-file', [CompletionResultType]::ParameterName, 'A file with the token to exchange (`token-exchange`); `-` reads it from standard input')
            [CompletionResult]::new('--subject-token-type', '--subject-token-type', [CompletionResultType]::ParameterName, 'Its type: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, or a URI [default: access_token]')
            [CompletionResult]::new('--subject-profile', '--subject-profile', [CompletionResultType]::ParameterName, 'Exchange the token of this other profile')
            [CompletionResult]::new('--actor-token-file', '--actor-token-file', [CompletionResultType]::ParameterName, 'A file with the token of whoever acts for the subject')
            [CompletionResult]::new('--actor-token-type', '--actor-token-type', [CompletionResultType]::ParameterName, 'Its type [default: access_token]')
            [CompletionResult]::new('--requested-token-type', '--requested-token-type', [CompletionResultType]::ParameterName, 'The type of token wanted')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is printed')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--allow-private', '--allow-private', [CompletionResultType]::ParameterName, 'Discover a provider at an address of this network''s own services too (`169.254.…`, `fe80::…`, a cloud''s metadata)')
            [CompletionResult]::new('--dpop', '--dpop', [CompletionResultType]::ParameterName, 'Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can''t use it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;provider' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Name every provider: built in, and your own')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print all that is known of a provider, as the TOML file that describes it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;provider;list' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How they are printed')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The same as `--format json`: one array')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;provider;show' {
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'As it is in one of its environments (`max`, …)')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;provider;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Name every provider: built in, and your own')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print all that is known of a provider, as the TOML file that describes it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;provider;help;list' {
            break
        }
        'oauthctl;provider;help;show' {
            break
        }
        'oauthctl;provider;help;help' {
            break
        }
        'oauthctl;profile' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a key of a profile: `oauthctl profile set work scopes "a b"`')
            [CompletionResult]::new('set-secret', 'set-secret', [CompletionResultType]::ParameterValue, 'Keep a client secret in the store, read from a file or (`-`) from standard input')
            [CompletionResult]::new('unset', 'unset', [CompletionResultType]::ParameterValue, 'Take a key away')
            [CompletionResult]::new('default', 'default', [CompletionResultType]::ParameterValue, 'Make a profile the one that is meant when none is named')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a profile another name; its tokens come along')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'Name the profiles, a line each')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;profile;set' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;set-secret' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;unset' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;default' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;remove' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;rename' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;names' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;profile;help' {
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a key of a profile: `oauthctl profile set work scopes "a b"`')
            [CompletionResult]::new('set-secret', 'set-secret', [CompletionResultType]::ParameterValue, 'Keep a client secret in the store, read from a file or (`-`) from standard input')
            [CompletionResult]::new('unset', 'unset', [CompletionResultType]::ParameterValue, 'Take a key away')
            [CompletionResult]::new('default', 'default', [CompletionResultType]::ParameterValue, 'Make a profile the one that is meant when none is named')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a profile another name; its tokens come along')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'Name the profiles, a line each')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;profile;help;set' {
            break
        }
        'oauthctl;profile;help;set-secret' {
            break
        }
        'oauthctl;profile;help;unset' {
            break
        }
        'oauthctl;profile;help;default' {
            break
        }
        'oauthctl;profile;help;remove' {
            break
        }
        'oauthctl;profile;help;rename' {
            break
        }
        'oauthctl;profile;help;names' {
            break
        }
        'oauthctl;profile;help;help' {
            break
        }
        'oauthctl;doctor' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;sandbox' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the manners of a provider on loopback until interrupted, for others to test against')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command in whose environment the built-in providers point at practice servers')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;sandbox;serve' {
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, '`sandbox`, `getresponse`, `verticalresponse`, `verticalresponse-vr2` or `constantcontact`')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; any free one if none is given')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'A redirect URL registered for the practice app beside the usual ones; may be given several times')
            [CompletionResult]::new('--access-life', '--access-life', [CompletionResultType]::ParameterName, 'How long an access token lives')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'How long each answer takes')
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('--claims-only', '--claims-only', [CompletionResultType]::ParameterName, 'Leave lifetime and scopes out of the token answer, where the token''s own claims tell them (Constant Contact)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;sandbox;run' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;sandbox;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the manners of a provider on loopback until interrupted, for others to test against')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command in whose environment the built-in providers point at practice servers')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;sandbox;help;serve' {
            break
        }
        'oauthctl;sandbox;help;run' {
            break
        }
        'oauthctl;sandbox;help;help' {
            break
        }
        'oauthctl;completions' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;man' {
            [CompletionResult]::new('--error-format', '--error-format', [CompletionResultType]::ParameterName, 'How errors are written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each step, each request and each answer; secrets as fingerprints, so that it can be pasted in public')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Do without the kernel''s copy of the access token')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'oauthctl;help' {
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in and keep the tokens')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Print a fresh access token, and nothing else')
            [CompletionResult]::new('refresh', 'refresh', [CompletionResultType]::ParameterValue, 'Renew the token now')
            [CompletionResult]::new('call', 'call', [CompletionResultType]::ParameterValue, 'Send a request to the provider''s API with the token')
            [CompletionResult]::new('whoami', 'whoami', [CompletionResultType]::ParameterValue, 'Ask the provider whose token it is')
            [CompletionResult]::new('userinfo', 'userinfo', [CompletionResultType]::ParameterValue, 'Print what the provider tells of whoever signed in (OpenID Connect)')
            [CompletionResult]::new('introspect', 'introspect', [CompletionResultType]::ParameterValue, 'Ask the provider what it knows of the token')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Decode a JWT and say what is wrong with it; nothing is sent anywhere')
            [CompletionResult]::new('register', 'register', [CompletionResultType]::ParameterValue, 'Make a client at a provider that takes registrations, look at it, end it')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Revoke where the provider can, then forget the tokens')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the profiles and how their tokens stand')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show one profile in full, and what will happen next')
            [CompletionResult]::new('provider', 'provider', [CompletionResultType]::ParameterValue, 'The providers that are known')
            [CompletionResult]::new('profile', 'profile', [CompletionResultType]::ParameterValue, 'Change profiles without an editor')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look at store, clock, network, browser, listener and configuration, and say what to do')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'A practice authorization server, built in')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'oauthctl;help;login' {
            break
        }
        'oauthctl;help;token' {
            break
        }
        'oauthctl;help;refresh' {
            break
        }
        'oauthctl;help;call' {
            break
        }
        'oauthctl;help;whoami' {
            break
        }
        'oauthctl;help;userinfo' {
            break
        }
        'oauthctl;help;introspect' {
            break
        }
        'oauthctl;help;inspect' {
            break
        }
        'oauthctl;help;register' {
            break
        }
        'oauthctl;help;logout' {
            break
        }
        'oauthctl;help;list' {
            break
        }
        'oauthctl;help;status' {
            break
        }
        'oauthctl;help;provider' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Name every provider: built in, and your own')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print all that is known of a provider, as the TOML file that describes it')
            break
        }
        'oauthctl;help;provider;list' {
            break
        }
        'oauthctl;help;provider;show' {
            break
        }
        'oauthctl;help;profile' {
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a key of a profile: `oauthctl profile set work scopes "a b"`')
            [CompletionResult]::new('set-secret', 'set-secret', [CompletionResultType]::ParameterValue, 'Keep a client secret in the store, read from a file or (`-`) from standard input')
            [CompletionResult]::new('unset', 'unset', [CompletionResultType]::ParameterValue, 'Take a key away')
            [CompletionResult]::new('default', 'default', [CompletionResultType]::ParameterValue, 'Make a profile the one that is meant when none is named')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a profile another name; its tokens come along')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'Name the profiles, a line each')
            break
        }
        'oauthctl;help;profile;set' {
            break
        }
        'oauthctl;help;profile;set-secret' {
            break
        }
        'oauthctl;help;profile;unset' {
            break
        }
        'oauthctl;help;profile;default' {
            break
        }
        'oauthctl;help;profile;remove' {
            break
        }
        'oauthctl;help;profile;rename' {
            break
        }
        'oauthctl;help;profile;names' {
            break
        }
        'oauthctl;help;doctor' {
            break
        }
        'oauthctl;help;sandbox' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the manners of a provider on loopback until interrupted, for others to test against')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command in whose environment the built-in providers point at practice servers')
            break
        }
        'oauthctl;help;sandbox;serve' {
            break
        }
        'oauthctl;help;sandbox;run' {
            break
        }
        'oauthctl;help;completions' {
            break
        }
        'oauthctl;help;man' {
            break
        }
        'oauthctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
