// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Serving;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>
/// One part of the agent under the host. A part that ends before it is told to ends the agent: whatever watches the process restarts it,
/// and the datapath does not notice.
/// </summary>
internal sealed class AgentService(
    string part, Func<CancellationToken, Task> run, IHostApplicationLifetime lifetime, ExitStatus exit, ILogger<AgentService> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await run(stoppingToken).ConfigureAwait(false);
            if (!stoppingToken.IsCancellationRequested)
                throw new InvalidOperationException($"The {part} ended by itself.");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (ServingException exception)
        {
            logger.PartGaveUp(part, exception.Message);
            EndAgent();
        }
        catch (Exception exception)
        {
            logger.PartDied(part, exception);
            EndAgent();
        }
    }

    private void EndAgent()
    {
        exit.Failed = true;
        lifetime.StopApplication();
    }
}
