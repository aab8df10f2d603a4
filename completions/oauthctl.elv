# Completions of oauthctl for elvish. The program itself says what fits: it reads its configuration, and no token.
# Add to ~/.config/elvish/rc.elv: eval (oauthctl completions elvish | slurp)

use str

set edit:completion:arg-completer[oauthctl] = {|@words|
    var typed = $words[-1]
    var before = $words[1..-1]
    var program = (external $words[0])
    var lines = []
    try {
        set lines = [($program complete --word=$typed -- $@before 2>/dev/null)]
    } catch { }
    for line $lines {
        var cells = [(str:split "\t" $line)]
        if (eq $cells[0] :files) {
            var begin = $cells[1]
            edit:complete-filename $typed[(count $begin)..] | each {|found|
                edit:complex-candidate $begin$found[stem] &code-suffix=$found[code-suffix]
            }
        } elif (eq $cells[0] :commands) {
            edit:complete-sudo sudo $typed
        } elif (eq $cells[1] '') {
            edit:complex-candidate $cells[0] &code-suffix=' '
        } else {
            edit:complex-candidate $cells[0] &display=$cells[0]'  '$cells[1] &code-suffix=' '
        }
    }
}
