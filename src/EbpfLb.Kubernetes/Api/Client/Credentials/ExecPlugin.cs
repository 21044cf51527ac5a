// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

/// <summary>Credentials of a plugin, kept until they expire or are refused. One caller runs it, others wait for what it gives.</summary>
#pragma warning disable CA1001 // A semaphore that nobody waits for by handle holds nothing to give back, and a caller may still be in it.
internal sealed class ExecPlugin(ExecSettings settings, TimeProvider time, ILogger logger)
#pragma warning restore CA1001
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1);

    // Changed by the one that has the gate; a refusal only takes away what is kept.
    private volatile ExecCredential? _kept;
    private ApiUnreachableException? _failure;
    private long? _ranAt;

    public string Key { get; } = settings.Key;

    /// <exception cref="ApiUnreachableException">It gives none. Asked again within a second, it is not run again.</exception>
    public async Task<ExecCredential> GetAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var kept = _kept;
            if (kept is not null && (kept.Expiration is null || time.GetUtcNow() < kept.Expiration))
                return kept;

            // What fails, or gives what has expired already, is not run by each request anew.
            bool justRan = _ranAt is { } ranAt && time.GetElapsedTime(ranAt) < MinPause;
            if (justRan && _failure is not null)
                throw new ApiUnreachableException(_failure.Message);

            return justRan && kept is not null ? kept : await RenewAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The next call runs the plugin, unless that has happened since.</summary>
    public void Refuse(ExecCredential credential) => Interlocked.CompareExchange(ref _kept, null, credential);

    private async Task<ExecCredential> RenewAsync(CancellationToken cancellation)
    {
        try
        {
            var credential = await RunAsync(cancellation).ConfigureAwait(false);
            _kept = credential;
            _failure = null;
            logger.PluginRan(PrintableText.Escape(settings.Command), credential.Expiration);
            return credential;
        }
        catch (ApiUnreachableException error)
        {
            _failure = error;
            throw;
        }
        finally
        {
            _ranAt = time.GetTimestamp();
        }
    }

    private async Task<ExecCredential> RunAsync(CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        string origin = $"{settings.Origin}, the exec plugin {PrintableText.Escape(settings.Command)}";
        try
        {
            string output = await PluginProcess.RunAsync(settings, either.Token).ConfigureAwait(false);
            return ExecCredential.Parse(output, settings.ApiVersion, origin);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ApiUnreachableException($"{origin}: it did not end within {Deadline.TotalSeconds:0} s and was killed. "
                + "Run it by hand as the agent's user; it must not ask anything.");
        }
    }
}
