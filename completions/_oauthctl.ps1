# Completions of oauthctl for PowerShell. The program itself says what fits: it reads its configuration, and no token.
# Add to the file that $PROFILE names: oauthctl completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName oauthctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $words = @($elements | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    $typed = ''
    $before = @($words | Select-Object -Skip 1)
    # the last word is the one that is typed, unless a blank follows it
    if ($words.Count -gt 1 -and $elements[-1].Extent.EndOffset -ge $cursorPosition) {
        $typed = $words[-1]
        $before = @($words | Select-Object -Skip 1 | Select-Object -SkipLast 1)
    }
    $kind = [System.Management.Automation.CompletionResultType]

    & $words[0] complete "--word=$typed" -- @before 2>$null | ForEach-Object {
        $word, $about = $_ -split "`t", 2
        if ($word -eq ':files') {
            $begin = "$about"
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed.Substring($begin.Length)) | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new("$begin$($_.CompletionText)", $_.ListItemText, $_.ResultType, $_.ToolTip)
            }
        } elseif ($word -eq ':commands') {
            [System.Management.Automation.CompletionCompleters]::CompleteCommand($typed)
        } else {
            if (-not $about) { $about = $word }
            [System.Management.Automation.CompletionResult]::new($word, $word, $kind::ParameterValue, $about)
        }
    }
}
